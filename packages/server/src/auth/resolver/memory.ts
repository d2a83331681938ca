// MEMORY: the tokens of resolver_preload.
import type { Resolver, StoreOutcome } from './resolver.ts'

export class MemoryResolver implements Resolver {
  readonly writable = false
  readonly #tokens: ReadonlyMap<string, string>

  constructor(preload: ReadonlyMap<string, string>) {
    this.#tokens = preload
  }
  async fetch(account: string): Promise<string | null> {
    return this.#tokens.get(account) ?? null
  }
  save(): StoreOutcome {
    return { ok: false, reason: 'store operation not supported' }
  }
  list(): string[] {
    return [...this.#tokens.keys()]
  }
  delete(): boolean {
    return false
  }
  hash(): Buffer {
    return Buffer.alloc(32)
  }
  close(): void {}
}
