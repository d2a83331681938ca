// The tables, as the queries see them. Only types that SQLite and PostgreSQL share: text and integers.

/** active: usable. cancelled: the owner has deleted it; a later push by the owner revives it. */
export type AccountState = 'active' | 'cancelled'

export interface AccountsTable {
  /** The account's identity key. */
  public_key: string
  name: string
  /** Id of the plan in the catalogue. */
  plan: string
  state: AccountState
  /** The last token accepted from the owner, as it came. */
  client_token: string
  /** Its iat; an owner's token that is older is refused. */
  client_iat: number
  /** JSON array: SHA-256 of the owner's tokens that were accepted with this client_iat, the last one last. */
  client_digests: string
  /** What servers and owners get. */
  signed_token: string
  /** Its iat, which rises with every signature: the version of the account. */
  signed_iat: number
  /** Unix seconds after which the signed token is void; 0 is never. */
  expires_at: number
  created_at: number
  updated_at: number
}

/** Accounts whose newest token some server may lack. The token itself is in `accounts`. */
export interface OutboxTable {
  public_key: string
  /** signed_iat of the token to distribute. */
  version: number
  attempts: number
  /** Unix milliseconds before which there is no next attempt. */
  next_attempt_at: number
}

export interface AuditLogTable {
  /** Rises with time. */
  id: string
  /** Unix milliseconds. */
  at: number
  /** `owner:KEY` (the key that signed), `operator`, or `service`. */
  actor: string
  public_key: string
  action: string
  /** JSON object. */
  detail: string
}

/** Facts about the whole store, such as what its tokens were last signed with. */
export interface FactsTable {
  name: string
  value: string
}

export interface Schema {
  accounts: AccountsTable
  outbox: OutboxTable
  audit_log: AuditLogTable
  facts: FactsTable
}
