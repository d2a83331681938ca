// An operator with its system account on a running engine, and the means to make accounts and users of it.
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { connect, credsAuthenticator, type NatsConnection } from '@nats-io/transport-node'
import {
  type AccountClaims,
  createKeyPair,
  encode,
  encodeBase64Url,
  formatCreds,
  type KeyPair,
  newAccountClaims,
  newOperatorClaims,
  newUserClaims,
  type OperatorClaims,
  type UserClaims,
} from '@ngs/identity/node'
import { DEADLINE_MS, Engine, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'
import { closeReason } from './support.ts'

/** Whoever stops things afterwards: a test context or a suite. */
interface Cleanup {
  after(task: () => unknown): void
}

export const now = (): number => Math.floor(Date.now() / 1000)
/** The end of claims that a test waits for: time enough to use them before, more than three seconds. */
export const soon = (): number => now() + 4
export const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** Answer to a request about claims. */
export interface ClaimsAnswer {
  server?: { id: string; name: string }
  data?: { account?: string; code: number; message: string }
  error?: { account?: string; code: number; description: string }
}

export interface WorldOptions {
  /** `full` (with deletion) by default; the block's content, or a word such as MEMORY. */
  resolver?: string
  operator?: (claims: OperatorClaims) => void
  /** More lines of the configuration file. */
  config?: string
  /** Accounts for resolver_preload besides the system account. */
  preload?: Record<string, string>
  /** false: the system account is not preloaded. */
  preloadSystem?: boolean
  args?: readonly string[]
  dir?: string
}

const FULL_RESOLVER = '{ type: full, dir: "%DIR%/jwt", allow_delete: true, interval: "2m", timeout: "500ms" }'

export class World {
  readonly operatorKey = createKeyPair('operator')
  readonly signingKey = createKeyPair('operator')
  readonly systemKey = createKeyPair('account')
  /** Signs the users of the system account. */
  readonly systemSigningKey = createKeyPair('account')
  readonly operator = newOperatorClaims(this.operatorKey.publicKey, 'O')
  readonly options: WorldOptions
  server!: Engine
  system!: NatsConnection
  readonly #issued = new Map<string, number>()

  constructor(options: WorldOptions = {}) {
    this.options = options
    this.operator.nats.signing_keys = [this.signingKey.publicKey]
    this.operator.nats.system_account = this.systemKey.publicKey
    options.operator?.(this.operator)
  }

  systemToken(change: (claims: AccountClaims) => void = () => {}): string {
    const claims = newAccountClaims(this.systemKey.publicKey, 'SYS')
    claims.nats.signing_keys = [this.systemSigningKey.publicKey]
    change(claims)
    return encode(claims, this.signingKey)
  }

  config(): string {
    const { resolver = FULL_RESOLVER, config = '', preload = {}, preloadSystem = true } = this.options
    const tokens = {
      ...(preloadSystem ? { [this.systemKey.publicKey]: this.systemToken() } : {}),
      ...preload,
    }
    const lines = Object.entries(tokens).map(([key, token]) => `${key}: ${token}`)
    return `
http: "127.0.0.1:-1"
operator: ${encode(this.operator, this.operatorKey)}
resolver: ${resolver}
${lines.length > 0 ? `resolver_preload { ${lines.join('\n')} }` : ''}
${config}`
  }

  /** Starts the engine, in debug mode, and connects as a user of the system account. */
  async start(engine: string, cleanup: Cleanup | null = null): Promise<void> {
    this.server = await Engine.start(null, {
      engine,
      config: this.config(),
      args: ['-D', ...(this.options.args ?? [])],
      ...(this.options.dir === undefined ? {} : { dir: this.options.dir }),
    })
    cleanup?.after(() => this.stop())
    this.system = await this.connectSystem()
  }
  async stop(): Promise<void> {
    await this.system?.close()
    await this.server?.stop()
  }

  /** A user of the system account; before that was pushed, one that the account signs itself. */
  connectSystem(): Promise<NatsConnection> {
    if (this.options.preloadSystem === false) return this.connect(this.systemKey)
    return this.connect(this.systemSigningKey, (claims) => {
      claims.nats.issuer_account = this.systemKey.publicKey
    })
  }

  /** An official client, as a new user that this key signs. */
  connect(signer: KeyPair, change: (claims: UserClaims) => void = () => {}): Promise<NatsConnection> {
    const user = createKeyPair('user')
    const claims = newUserClaims(user.publicKey, 'U')
    change(claims)
    const creds = formatCreds(encode(claims, signer), user.seed)
    return connect({
      servers: this.server.url,
      reconnect: false,
      authenticator: credsAuthenticator(Buffer.from(creds)),
    })
  }

  /** Signed with an operator key; each token of an account is issued later than the one before. */
  sign(claims: AccountClaims, signer: KeyPair = this.signingKey): string {
    const issuedAt = Math.max(now(), (this.#issued.get(claims.sub) ?? 0) + 1)
    this.#issued.set(claims.sub, issuedAt)
    return encode(claims, signer, { issuedAt })
  }

  /** Signs and pushes. Returns the server's answer. */
  push(claims: AccountClaims, signer: KeyPair = this.signingKey): Promise<ClaimsAnswer> {
    return this.ask('$SYS.REQ.CLAIMS.UPDATE', this.sign(claims, signer))
  }
  async ask<T = ClaimsAnswer>(subject: string, body = ''): Promise<T> {
    const reply = await this.system.request(subject, body, { timeout: DEADLINE_MS })
    return JSON.parse(text(reply.data)) as T
  }
  /** A request's answer as text. */
  async askText(subject: string, body = ''): Promise<string> {
    return text((await this.system.request(subject, body, { timeout: DEADLINE_MS })).data)
  }

  /** A new account with a key of its own, pushed. */
  async account(
    change: (claims: AccountClaims) => void = () => {},
  ): Promise<{ key: KeyPair; claims: AccountClaims }> {
    const key = createKeyPair('account')
    const claims = newAccountClaims(key.publicKey, 'A')
    change(claims)
    const answer = await this.push(claims)
    assert.equal(answer.data?.message, 'jwt updated', JSON.stringify(answer))
    return { key, claims }
  }

  /** A connection that has sent the user's JWT with a signature of the nonce. */
  async client(
    t: Cleanup,
    signer: KeyPair,
    change: (claims: UserClaims) => void = () => {},
    options: ClientOptions = {},
  ): Promise<RawClient & { user: string; jwt: string }> {
    const key = options.key ?? createKeyPair('user')
    const claims = newUserClaims(key.publicKey, 'U')
    change(claims)
    const jwt = encode(claims, signer, options.issuedAt === undefined ? {} : { issuedAt: options.issuedAt })
    const one = await RawClient.connect(t, options.url ?? this.server.port)
    const by = options.sign === undefined ? key : options.sign
    const signature = by?.sign(Buffer.from(String(one.info.nonce)))
    const sig = signature === undefined ? {} : { sig: encodeBase64Url(signature) }
    if (options.send !== false)
      one.connect({ verbose: false, pedantic: false, jwt, ...sig, ...options.connect })
    return Object.assign(one, { user: key.publicKey, jwt })
  }

  /** Waits until the log lines of a connection say this; they come behind what they tell of. */
  waitForLogOf(client: RawClient, pattern: RegExp): Promise<unknown> {
    return waitFor(() => pattern.test(this.logOf(client)), {
      what: () => `${pattern} in the log of the connection:\n${this.logOf(client)}`,
    })
  }

  /** How a connection ended, as /connz has it. */
  closeReason(client: RawClient): Promise<string> {
    return closeReason(this.server, client.info.client_id)
  }

  /** The log lines of a connection. */
  logOf(client: RawClient): string {
    const mark = ` - cid:${client.info.client_id} - `
    return this.server
      .log()
      .split('\n')
      .filter((line) => line.includes(mark))
      .join('\n')
  }
}

export interface ClientOptions {
  /** Who signs the nonce; null for no signature. The user by default. */
  sign?: KeyPair | null
  issuedAt?: number
  key?: KeyPair
  /** More or other fields of CONNECT. */
  connect?: Record<string, unknown>
  url?: string
  /** false: CONNECT is not sent. */
  send?: boolean
}

/** A suite on each engine under test, with one world for all its tests. */
export function inEveryWorld(name: string, options: WorldOptions, define: (world: World) => void): void {
  for (const engine of enginesUnderTest()) {
    describe(`${name} [${engine.name}]`, () => {
      const world = new World(options)
      before(() => world.start(engine.path))
      after(() => world.stop())
      define(world)
    })
  }
}
