// The service: puts its rooms together and runs them from start to stop.
import type { NatsConnection } from '@nats-io/nats-core'
import { pino } from 'pino'
import { Accounts } from './accounts/accounts.ts'
import { Distributor } from './accounts/distributor.ts'
import { answerLookups } from './accounts/lookup.ts'
import { Ownership } from './accounts/ownership.ts'
import { accountStatus } from './accounts/status.ts'
import { checkNatsUrls, checkPublicUrl, defaultStrangerLimits, type ServiceOptions } from './config.ts'
import { DemoServices } from './demo/services.ts'
import { buildApp } from './http/app.ts'
import { RateLimit } from './http/rate-limit.ts'
import { Metering } from './metering/usage.ts'
import { openDataDir } from './operator/data-dir.ts'
import { Fleet } from './operator/fleet.ts'
import { connectToServers } from './operator/nats.ts'
import { Catalogue } from './plans/catalogue.ts'
import { Store } from './store/store.ts'

const defaultConnectWithinMs = 15_000
const defaultActiveIntervalMs = 5_000

/** A running service. Any number may run in one process, each on a data directory of its own. */
export class Service {
  /** Where the HTTP server listens, for callers on this machine: `http://HOST:PORT`. */
  readonly url: string
  readonly #stop: () => Promise<void>

  private constructor(url: string, stop: () => Promise<void>) {
    this.url = url
    this.#stop = stop
  }

  /**
   * Starts the service on a prepared data directory. Resolves when HTTP answers, the message servers are connected and
   * the demonstration services answer; from then on it reconnects by itself.
   * @throws ServiceError bad-option, bad-plans-file, data-dir-unusable, data-dir-damaged, data-dir-in-use, not-connected;
   *   the error of Node when the HTTP address cannot be listened on (`syscall` is `listen`)
   */
  static async start(options: ServiceOptions): Promise<Service> {
    const log = options.logger ?? pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }))
    const limits = { ...defaultStrangerLimits, ...options.limits }
    const servers = checkNatsUrls(options.natsUrls)
    const publicNatsUrls = checkNatsUrls(options.publicNatsUrls ?? options.natsUrls)
    const catalogue = Catalogue.load(options.plansFile)
    const dataDir = openDataDir(options.dataDir)
    const { keys, ownTokens, paths } = dataDir

    // What has been started is stopped in the opposite order, also when a later step fails.
    const undo: (() => unknown)[] = []
    const stop = async (): Promise<void> => {
      for (const step of undo.splice(0).reverse()) await step()
    }
    try {
      const store = await Store.open(paths.database)
      undo.push(() => store.close())
      const accounts: Accounts = new Accounts({
        store,
        keys,
        ownTokens,
        catalogue,
        limits,
        log,
        changed: () => distributor.notify(),
      })
      const distributor: Distributor = new Distributor({
        store,
        log,
        ownTokens,
        surpass: (account, version) => accounts.refresh(account, version),
      })
      await accounts.open()

      const connecting = AbortSignal.timeout(options.connectWithinMs ?? defaultConnectWithinMs)
      const connection = async (name: string, creds: string): Promise<NatsConnection> => {
        const nc = await connectToServers({ name, servers, creds, log, signal: connecting })
        undo.push(() => nc.close())
        return nc
      }
      const system = await connection('ngs service', options.systemCreds ?? paths.systemCreds)
      answerLookups(system, accounts, log)
      const fleet = new Fleet(system, log, () => distributor.serverJoined())
      undo.push(() => fleet.stop())
      distributor.start(fleet)
      undo.push(() => distributor.stop())
      await fleet.start()

      const metering = new Metering(fleet)
      const usage = (account: string) => metering.usage(account)
      const demo = new DemoServices({
        nc: await connection('ngs demo services', paths.demoCreds),
        fleet,
        log,
        status: async (account) => {
          const row = await accounts.find(account)
          if (row === undefined) return null
          return accountStatus(row, accounts.planOf(row), keys.demo.publicKey, await usage(account))
        },
        intervalMs: options.activeIntervalMs ?? defaultActiveIntervalMs,
      })
      await demo.start()
      undo.push(() => demo.stop())

      let operatorToken = ''
      const app = await buildApp(
        {
          accounts,
          distributor,
          catalogue,
          ownership: new Ownership(),
          demoAccount: keys.demo.publicKey,
          bearerToken: dataDir.bearerToken,
          limits,
          newAccounts: new RateLimit('new accounts', limits.newAccountsPerHour, 3_600_000),
          writes: new RateLimit('requests', limits.writesPerMinute, 60_000),
          operatorToken: () => operatorToken,
          usage,
          connected: () => fleet.connected && fleet.servers.length > 0,
        },
        log,
        options.http?.trustProxy ?? false,
      )
      undo.push(() => app.close())
      const address = await app.listen({
        host: options.http?.host ?? '127.0.0.1',
        port: options.http?.port ?? 0,
      })
      const { port } = new URL(address)
      operatorToken = dataDir.operatorToken(
        checkPublicUrl(options.publicUrl ?? `http://localhost:${port}`),
        publicNatsUrls,
      )
      log.info({ url: address }, 'the service is ready')
      return new Service(address, stop)
    } catch (error) {
      await stop()
      throw error
    }
  }

  /** Answers what is being asked, then stops. What was acknowledged and not yet distributed goes out at the next start. */
  stop(): Promise<void> {
    return this.#stop()
  }
}
