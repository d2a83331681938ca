// MEMORY: the tokens of resolver_preload, and nothing else until they are reloaded.
import { decodeAccount, isBlocking, validate } from '@ngs/identity/node'
import type { Logger } from '../../log.ts'
import type { Resolver } from './resolver.ts'

export class MemoryResolver implements Resolver {
  readonly store = null
  #tokens: ReadonlyMap<string, string>

  constructor(preload: ReadonlyMap<string, string>) {
    this.#tokens = preload
  }
  replace(preload: ReadonlyMap<string, string>): void {
    this.#tokens = preload
  }
  async fetch(account: string): Promise<string | null> {
    return this.#tokens.get(account) ?? null
  }
  async close(): Promise<void> {}
}

/** Tells what is wrong with preloaded accounts: their users will be told less. */
export function reportPreloads(preload: ReadonlyMap<string, string>, log: Logger): void {
  for (const [account, token] of preload) {
    const issues = validate(decodeAccount(token))
    if (!isBlocking(issues, { includeTime: true })) continue
    log.warn(`Account [${account}] has validation issues:`)
    for (const { text } of issues) log.warn(`  - ${text}`)
  }
}
