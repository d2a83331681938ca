// Where account JWTs come from.

/** Outcome of a request to store a token; texts are those operators' tools print. */
export type StoreOutcome = { ok: true } | { ok: false; reason: string }

export interface Resolver {
  /** Takes pushed tokens and keeps them; a resolver that does not only serves what it was given. */
  readonly writable: boolean
  /** The token, null when this resolver has none. */
  fetch(account: string): Promise<string | null>
  save(account: string, token: string): StoreOutcome
  list(): string[]
  /** Takes the token away; true also when there was none. */
  delete(account: string): boolean
  /** 32 bytes over all tokens, equal on servers that hold the same. */
  hash(): Buffer
  close(): void
}
