// What the tests of the service share: a whole system on free ports, owners with keys, and the official nsc.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect, credsAuthenticator, jwtAuthenticator } from '@nats-io/transport-node'
import {
  type AccountClaims,
  createKeyPair,
  decodeAccount,
  encode,
  type KeyPair,
  newAccountClaims,
  newUserClaims,
  type UserClaims,
} from '@ngs/identity/node'
import {
  type Cleanup,
  DEADLINE_MS,
  Engine,
  enginesUnderTest,
  freePort,
  type Outcome,
  peer,
  run,
  tempDir,
} from '@ngs/testkit'
import { pino } from 'pino'
import { prepareDataDir, Service, type ServiceOptions } from '../src/index.ts'

/** The engine of tests that do not depend on which one it is: the reference where it is built. */
const anyEngine = enginesUnderTest().at(-1)!.path

const quiet = pino({ level: process.env['NGS_TEST_LOG'] ?? 'silent' })

/** A message server and a service on one data directory, each of which can be stopped and started again. */
export class TestSystem {
  readonly dataDir: string
  readonly port: number
  readonly enginePath: string
  engine: Engine | null = null
  service: Service | null = null
  readonly #after: Cleanup
  readonly #options: Partial<ServiceOptions>
  #httpPort = 0

  private constructor(
    after: Cleanup,
    dataDir: string,
    port: number,
    engine: string,
    options: Partial<ServiceOptions>,
  ) {
    this.#after = after
    this.dataDir = dataDir
    this.port = port
    this.enginePath = engine
    this.#options = options
  }

  static async start(
    after: Cleanup,
    options: { engine?: string; service?: Partial<ServiceOptions>; dataDir?: string } = {},
  ): Promise<TestSystem> {
    const dataDir = options.dataDir ?? join(tempDir(after), 'data')
    const system = new TestSystem(
      after,
      dataDir,
      await freePort(),
      options.engine ?? anyEngine,
      options.service ?? {},
    )
    system.#httpPort = await freePort()
    await system.startEngine()
    await system.startService()
    return system
  }

  get natsUrl(): string {
    return `nats://127.0.0.1:${this.port}`
  }
  get url(): string {
    return `http://127.0.0.1:${this.#httpPort}`
  }
  get httpPort(): number {
    return this.#httpPort
  }
  get operatorToken(): string {
    return readFileSync(join(this.dataDir, 'operator.token'), 'utf8').trim()
  }

  /** The options of a service on this system, for tests that start one by themselves. */
  serviceOptions(): ServiceOptions {
    return {
      dataDir: this.dataDir,
      natsUrls: [this.natsUrl],
      http: { port: this.#httpPort },
      publicUrl: this.url,
      logger: quiet,
      ...this.#options,
    }
  }

  async startEngine(): Promise<void> {
    const prepared = prepareDataDir({
      dataDir: this.dataDir,
      publicUrl: this.url,
      natsUrls: [this.natsUrl],
      server: {
        name: 'one',
        host: '127.0.0.1',
        port: this.port,
        websocketPort: -1,
        monitoringPort: -1,
        region: 'Test-1',
        location: 'Testville',
      },
    })
    const config = readFileSync(prepared.serverConfig!, 'utf8')
    this.engine = await Engine.start(null, { engine: this.enginePath, config })
    const { engine } = this
    this.#after.after(async () => {
      await engine.stop()
    })
  }

  async startService(): Promise<void> {
    this.service = await Service.start(this.serviceOptions())
    const { service } = this
    this.#after.after(() => service.stop())
  }

  async stopService(): Promise<void> {
    await this.service?.stop()
    this.service = null
  }

  async stopEngine(): Promise<void> {
    await this.engine?.stop()
    this.engine = null
  }

  /** A request to the service; the body of the answer as text. */
  async http(
    method: string,
    path: string,
    options: { body?: string | object; bearer?: string; headers?: Record<string, string> } = {},
  ): Promise<{ status: number; text: string; headers: Headers }> {
    const { body, bearer, headers = {} } = options
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  push(account: string, token: string): Promise<{ status: number; text: string }> {
    return this.http('POST', `/jwt/v1/accounts/${account}`, {
      body: token,
      headers: { 'content-type': 'application/jwt' },
    })
  }

  /** The token the service serves. */
  async pull(account: string): Promise<string> {
    const { status, text } = await this.http('GET', `/jwt/v1/accounts/${account}`)
    if (status !== 200) throw new Error(`GET account: ${status} ${text}`)
    return text
  }

  async claims(account: string): Promise<AccountClaims> {
    return decodeAccount(await this.pull(account))
  }

  setPlan(account: string, plan: string): Promise<{ status: number; text: string }> {
    return this.http('PUT', `/api/v1/operator/accounts/${account}/plan`, {
      body: { plan },
      bearer: this.operatorToken,
    })
  }

  /** A connection of the system account. */
  async connectSystem(): Promise<NatsConnection> {
    const nc = await connect({
      servers: this.natsUrl,
      authenticator: credsAuthenticator(readFileSync(join(this.dataDir, 'system.creds'))),
      reconnect: false,
    })
    this.#after.after(() => nc.close())
    return nc
  }
}

/** An account owner with keys of its own, who signs and pushes by hand. */
export class Owner {
  readonly key: KeyPair = createKeyPair('account')
  readonly claims: AccountClaims

  constructor(name = 'Owner') {
    this.claims = newAccountClaims(this.key.publicKey, name)
  }

  get account(): string {
    return this.key.publicKey
  }

  /** Signs the claims as they are now; `change` edits a copy of them first. */
  sign(options: { by?: KeyPair; issuedAt?: number; change?: (claims: AccountClaims) => void } = {}): string {
    const claims = structuredClone(this.claims)
    options.change?.(claims)
    return encode(
      claims,
      options.by ?? this.key,
      options.issuedAt === undefined ? {} : { issuedAt: options.issuedAt },
    )
  }

  /** Connects a new user of this account. */
  async connect(
    after: Cleanup,
    servers: string,
    edit: (claims: UserClaims) => void = () => {},
  ): Promise<NatsConnection> {
    const user = createKeyPair('user')
    const claims = newUserClaims(user.publicKey, 'user')
    edit(claims)
    const token = encode(claims, this.key)
    const nc = await connect({
      servers,
      authenticator: jwtAuthenticator(token, new TextEncoder().encode(user.seed)),
      reconnect: false,
      timeout: DEADLINE_MS,
    })
    after.after(() => nc.close())
    return nc
  }
}

export const nowSeconds = (): number => Math.floor(Date.now() / 1000)

/** The official nsc with a home of its own. */
export class Nsc {
  readonly home: string
  readonly #env: NodeJS.ProcessEnv

  constructor(home: string, url: string) {
    this.home = home
    this.#env = {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      NSC_ngs_OPERATOR: `${url}/jwt/v1/operator`,
    }
  }

  run(args: readonly string[]): Promise<Outcome> {
    return run(peer('nsc'), args, { env: this.#env, cwd: this.home })
  }

  /**
   * Runs and insists on success.
   * @param line words with a space between them
   * @param more further words, which may have spaces in them
   * @returns stdout and stderr
   */
  async does(line: string, ...more: string[]): Promise<string> {
    const args = [...line.split(' '), ...more]
    const { code, stdout, stderr } = await this.run(args)
    if (code !== 0) throw new Error(`nsc ${args.join(' ')} failed:\n${stdout}${stderr}`)
    return stdout + stderr
  }

  /** Runs, with words as in `does`, and insists on failure. */
  async fails(line: string, ...more: string[]): Promise<string> {
    const args = [...line.split(' '), ...more]
    const { code, stdout, stderr } = await this.run(args)
    if (code === 0) throw new Error(`nsc ${args.join(' ')} should have failed:\n${stdout}${stderr}`)
    return stdout + stderr
  }

  async key(account: string): Promise<string> {
    return JSON.parse(await this.does(`describe account ${account} --field sub`)) as string
  }

  creds(account: string, user: string): string {
    return join(this.home, 'data/nats/nsc/keys/creds/ngs', account, `${user}.creds`)
  }
}
