// The story that must always work: from `npm start` to sharing between accounts, with our tools and with the official
// nsc and nats, on our server and on the official one.
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { headers, type NatsConnection, type Subscription } from '@nats-io/nats-core'
import { encodeBase64Url, keyPairFromSeed, parseCreds } from '@ngs/identity/node'
import { DEADLINE_MS, enginesUnderTest, needsPeer, peer, RawClient, tempFolder, waitFor } from '@ngs/testkit'
import { Person } from './person.ts'
import { choosePorts, type Ports, System } from './system.ts'

const text = (data: Uint8Array): string => new TextDecoder().decode(data)

/** The next message of a subscription, or undefined when it ends or nothing comes in time. */
async function next(subscription: Subscription): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const bound = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, DEADLINE_MS, undefined)
  })
  const one = subscription[Symbol.asyncIterator]()
    .next()
    .then(({ value }) => (value === undefined ? undefined : text(value.data)))
  const result = await Promise.race([one, bound])
  clearTimeout(timer)
  return result
}

for (const tools of ['ours', 'official'] as const) {
  for (const engine of enginesUnderTest()) {
    const skip = tools === 'official' ? needsPeer('nsc').skip || needsPeer('nats').skip : false
    describe(`the first minute with ${tools} tools on ${engine.name}`, { skip }, () => {
      const folder = tempFolder()
      const dataDir = join(folder.path, 'ngs')
      const home = join(folder.path, 'home')
      const open: NatsConnection[] = []
      let ports: Ports
      let system: System
      let me: Person

      const start = async (): Promise<void> => {
        system = await System.start({
          dataDir,
          ports,
          ...(engine.name === 'ngs-server' ? {} : { engine: engine.path }),
        })
      }
      const connect = async (
        account: string,
        user: string,
        options?: Record<string, unknown>,
      ): Promise<NatsConnection> => {
        const connection = await me.connect(system.urls.nats, account, user, options)
        open.push(connection)
        return connection
      }
      const closeAll = async (): Promise<void> => {
        await Promise.all(open.splice(0).map((connection) => connection.close().catch(() => {})))
      }
      const plan = async (account: string, name: string): Promise<void> => {
        const { code, text: printed } = await me.ngs([
          'operator',
          'plan',
          account,
          name,
          '--data-dir',
          dataDir,
        ])
        assert.equal(code, 0, printed)
      }

      before(async () => {
        mkdirSync(home)
        ports = await choosePorts()
        await start()
        me = new Person(home, tools, system.urls)
      })
      after(async () => {
        await closeAll()
        await system?.stop()
        folder.remove()
      })

      it('prints a banner with the URLs and the next commands', async () => {
        const { nats, http } = system.urls
        // The banner may come in pieces.
        for (const part of [nats, http, /init -o ngs|ngs signup/, /ngs status/, /ngs\.echo/])
          await waitFor(() => system.banner().search(part) >= 0, {
            what: () => `${part} in the banner:\n${system.banner()}`,
          })
      })

      it('signs up with one command', async () => {
        const printed = await me.does('init -o ngs -n First')
        assert.match(printed, /all jobs succeeded/)
        const described = await me.does('describe account First')
        assert.match(described, /Max Connections\s*\|\s*10\b/)
      })

      it('gets an echo', async () => {
        const printed = await me.does('tool req ngs.echo hello')
        assert.match(printed, /\[test-1\]: "hello"/)
        if (tools === 'official') {
          const { code, text: reply } = await me.nats(system.urls.nats, 'First', 'First', [
            'req',
            'ngs.echo',
            'hello',
          ])
          assert.equal(code, 0, reply)
          assert.match(reply, /\[test-1\]: "hello"/)
        }
      })

      it('shows status, plans and usage', async () => {
        const status = await me.ngs(['status'])
        assert.equal(status.code, 0, status.text)
        assert.match(status.text, /Free/)
        const json = await me.ngs(['status', '--json'])
        assert.equal(json.code, 0, json.text)
        assert.equal((JSON.parse(json.stdout) as { name: string }).name, 'First')
        const plans = await me.ngs(['plans'])
        for (const name of ['Free', 'Developer', 'Project', 'Business'])
          assert.ok(plans.text.includes(name), plans.text)
        const usage = await me.ngs(['usage'])
        assert.equal(usage.code, 0, usage.text)
      })

      it('hears of the servers on ngs.active', async () => {
        const nc = await connect('First', 'First')
        const active = nc.subscribe('ngs.active', { max: 1 })
        const message = await next(active)
        assert.match(message ?? '', /test-1/)
      })

      it('adds a user with restrictions that hold', async () => {
        await me.does(
          'add user --account First --name bob --allow-pub orders.> --allow-sub orders.>,_INBOX.>',
        )
        const bob = await connect('First', 'bob')
        const orders = bob.subscribe('orders.*', { max: 1 })
        bob.publish('orders.1', 'tea')
        assert.equal(await next(orders), 'tea')
        const denied = bob.subscribe('secrets.>')
        const violation = await denied.closed.catch((error: Error) => error)
        assert.match(
          violation instanceof Error ? violation.message : '',
          /Permissions Violation for Subscription to "secrets\.>"/i,
        )
        const failed = (async () => {
          for await (const status of bob.status()) if (status.type === 'error') return status.error.message
          return ''
        })()
        bob.publish('other', 'x')
        assert.match(await failed, /Permissions Violation for Publish to "other"/i)
      })

      it('publishes, requests, shares work in a queue group and carries headers', async () => {
        const nc = await connect('First', 'First')
        const other = await connect('First', 'First')
        const plain = other.subscribe('greet.*', { max: 1 })
        await other.flush()
        nc.publish('greet.joe', 'hello')
        assert.equal(await next(plain), 'hello')

        const counts = [0, 0, 0]
        for (const index of counts.keys()) {
          const worker = await connect('First', 'First')
          worker.subscribe('work', {
            queue: 'workers',
            callback: (_error, message) => {
              counts[index]!++
              message.respond(message.data, { headers: message.headers! })
            },
          })
          await worker.flush()
        }
        for (let i = 0; i < 90; i++) {
          const h = headers()
          h.set('Job', `${i}`)
          const reply = await nc.request('work', `${i}`, { timeout: DEADLINE_MS, headers: h })
          assert.equal(text(reply.data), `${i}`)
          assert.equal(reply.headers?.get('job') || reply.headers?.get('Job'), `${i}`)
        }
        assert.equal(counts[0]! + counts[1]! + counts[2]!, 90, 'every job is done once')
        for (const count of counts) assert.ok(count > 5, `the work is shared: ${counts}`)
        await closeAll()
      })

      it('shares a public stream and a public service with a second account', async () => {
        await me.does('add export --account First --subject weather.CA')
        await me.does('add export --service --account First --subject ip.geo')
        await me.does('add account --name Second')
        await me.does('add user --account Second --name carol')
        const first = await me.accountKey('First')
        const refused = await me.fails(
          `add import --account Second --src-account ${first} --remote-subject weather.CA`,
        )
        assert.match(refused, /more imports than allowed by the operator/)
        await plan('Second', 'developer')
        await me.does('pull --account Second')
        await me.does(
          `add import --account Second --src-account ${first} --remote-subject weather.CA --local-subject sky`,
        )
        await me.does(
          `add import --account Second --src-account ${first} --remote-subject ip.geo --service --local-subject where`,
        )

        const owner = await connect('First', 'First')
        const carol = await connect('Second', 'carol')
        const carol2 = await connect('Second', 'carol')
        owner.subscribe('ip.geo', {
          callback: (_error, message) => void message.respond(`at ${text(message.data)}`),
        })
        await owner.flush()
        const sky = carol.subscribe('sky', { max: 1 })
        await carol.flush()
        owner.publish('weather.CA', 'fog')
        assert.equal(await next(sky), 'fog')
        const replies = await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            (i % 2 ? carol : carol2).request('where', `${i}`, { timeout: DEADLINE_MS }),
          ),
        )
        assert.deepEqual(
          replies.map((reply) => text(reply.data)),
          Array.from({ length: 40 }, (_, i) => `at ${i}`),
        )
        await closeAll()
      })

      it('keeps a private export closed without a token, open with one, closed again after its revocation', async () => {
        await me.does('add export --account First --private --subject vault.>')
        const first = await me.accountKey('First')
        const second = await me.accountKey('Second')
        const refused = await me.fails(
          `add import --account Second --src-account ${first} --remote-subject vault.>`,
        )
        assert.match(refused, /private/i)
        assert.match(refused, /activation/i)
        await me.run(me.nsc, ['delete', 'import', '--account', 'Second', '--subject', 'vault.>'])

        const token = join(home, 'vault.tok')
        await me.does(
          `generate activation --account First --subject vault.> --target-account ${second} --output-file ${token}`,
        )
        await me.does(`add import --account Second --token ${token}`)
        const owner = await connect('First', 'First')
        const carol = await connect('Second', 'carol')
        const seen: string[] = []
        carol.subscribe('vault.>', { callback: (_error, message) => void seen.push(text(message.data)) })
        await carol.flush()
        owner.publish('vault.door', 'open')
        await waitFor(() => seen.length > 0, { what: 'a message through the private export' })
        assert.deepEqual(seen, ['open'])

        await me.does(
          `revocations add_activation --account First --subject vault.> --target-account ${second}`,
        )
        // The public stream is the barrier: same publisher, same receiver, later message.
        const sky = carol.subscribe('sky', { max: 1 })
        await carol.flush()
        await owner.flush()
        owner.publish('vault.door', 'shut')
        owner.publish('weather.CA', 'sun')
        assert.equal(await next(sky), 'sun')
        await carol.flush()
        assert.deepEqual(seen, ['open'])
        await closeAll()
      })

      it('disconnects a revoked user and refuses it from then on', async () => {
        const bob = await connect('First', 'bob')
        const closed = bob.closed()
        await me.does('revocations add-user --account First --name bob')
        const why = await closed
        assert.match(`${why}`, /revoked|authorization|authentication/i)
        await assert.rejects(connect('First', 'bob'), /authorization/i)
      })

      it("holds the Free plan's limits with a clear error", async (t) => {
        const connections: NatsConnection[] = []
        for (let i = 0; i < 10; i++) connections.push(await connect('First', 'First'))
        // On the wire, since a client library may see the close before it reads the error.
        const { jwt, seed } = parseCreds(readFileSync(me.credsFile('First', 'First'), 'utf8'))
        const raw = await RawClient.connect(t, ports.port)
        const sig = encodeBase64Url(keyPairFromSeed(seed!).sign(Buffer.from(String(raw.info['nonce']))))
        raw.say(`CONNECT ${JSON.stringify({ verbose: false, jwt, sig })}`)
        assert.match(await raw.closed(), /-ERR 'maximum account active connections exceeded'/)
        const big = connections[0]!
        const end = big.closed()
        const tooLarge = (() => {
          try {
            big.publish('big', new Uint8Array(1025))
            return undefined
          } catch (error) {
            return error as Error
          }
        })()
        const why = tooLarge ?? (await end)
        assert.match(`${why}`, /max.?payload|maximum payload/i)
        await closeAll()
      })

      it('loses nothing over a restart, a clean one and a crash', async () => {
        for (const how of ['stop', 'crash'] as const) {
          await system[how]()
          await start()
          const printed = await me.does(`tool req ngs.echo ${how}`)
          assert.match(printed, new RegExp(`\\[test-1\\]: "${how}"`))
          const owner = await connect('First', 'First')
          const carol = await connect('Second', 'carol')
          const sky = carol.subscribe('sky', { max: 1 })
          await carol.flush()
          owner.publish('weather.CA', how)
          assert.equal(await next(sky), how)
          await assert.rejects(connect('First', 'bob'), /authorization/i)
          const { code, text: status } = await me.ngs([
            'operator',
            'accounts',
            '--data-dir',
            dataDir,
            '--json',
          ])
          assert.equal(code, 0, status)
          assert.match(status, /developer/i)
          await closeAll()
        }
      })

      it('works with the official nats command line', { skip: needsPeer('nats').skip }, async () => {
        const nats = (...args: string[]) => me.nats(system.urls.nats, 'First', 'First', args)
        const server = me.run(peer('nats'), [
          '--server',
          system.urls.nats,
          '--creds',
          me.credsFile('First', 'First'),
          'reply',
          'hello.>',
          '--count',
          '1',
          'hi there',
        ])
        await waitFor(
          async () => {
            const { text: reply } = await nats('req', 'hello.world', '', '--timeout', '30s')
            return reply.includes('hi there')
          },
          { what: 'a reply through nats reply' },
        )
        await server
        const heard = nats('sub', 'news', '--count', '1', '--headers-only')
        await waitFor(
          async () => {
            await nats('pub', 'news', 'extra', '-H', 'Edition:late')
            return Promise.race([
              heard.then(() => true),
              new Promise<boolean>((resolve) => setTimeout(resolve, 200, false)),
            ])
          },
          { what: 'nats sub to hear a message' },
        )
        assert.match((await heard).text, /Edition: late/)
        const rtt = await nats('rtt')
        assert.equal(rtt.code, 0, rtt.text)
      })
    })
  }
}
