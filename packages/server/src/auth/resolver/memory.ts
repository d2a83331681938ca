// MEMORY: the tokens of resolver_preload, and nothing else until the next start.
import type { Resolver } from './resolver.ts'

export class MemoryResolver implements Resolver {
  readonly store = null
  readonly #tokens: ReadonlyMap<string, string>

  constructor(preload: ReadonlyMap<string, string>) {
    this.#tokens = preload
  }
  async fetch(account: string): Promise<string | null> {
    return this.#tokens.get(account) ?? null
  }
  async close(): Promise<void> {}
}
