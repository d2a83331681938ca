// Where account JWTs come from, and where pushed ones go.

/** Outcome of a request to store a token; the reason is what operators' tools print. */
export type StoreOutcome = { ok: true } | { ok: false; reason: string }

export interface Resolver {
  /** The token, null when this resolver has none. @throws Error that says why it could not be read. */
  fetch(account: string): Promise<string | null>
  /** What takes pushed tokens; null when this resolver only serves what others give. */
  readonly store: AccountStore | null
  close(): Promise<void>
}

export interface AccountStore {
  /** Holds every account there is: answers lookups and compares itself with other servers. A cache does not. */
  readonly complete: boolean
  /** Keeps the token, whatever was there. Of several for one account the last one called wins. */
  save(account: string, token: string): Promise<StoreOutcome>
  /** Keeps the token unless the one that is there has the same id or is newer. True when it was kept. */
  merge(account: string, token: string): Promise<boolean>
  /** Takes the token away; nothing happens when there is none. @throws Error of the file system. */
  delete(account: string): Promise<void>
  list(): string[]
  /** 32 bytes over all tokens, equal on servers that hold the same. */
  hash(): Buffer
}
