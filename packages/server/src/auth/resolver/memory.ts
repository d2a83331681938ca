// MEMORY: the tokens of resolver_preload, and nothing else until they are reloaded.
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
