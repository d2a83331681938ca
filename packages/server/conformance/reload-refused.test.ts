// Reloads that cannot be: the text that says why, and that nothing of the file has been applied.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { refused, reload } from './reloading.ts'
import { onEveryEngine, QUIET } from './support.ts'

const BASE = 'http: "127.0.0.1:-1"\n'

/** Lines of the file, and the official server's name with the old and the new value. */
const RESTART: readonly [string, string, string, string][] = [
  ['server_name: other', 'ServerName', '', 'other'],
  ['max_subscriptions: 5', 'MaxSubs', '0', '5'],
  ['max_sub_tokens: 5', 'MaxSubTokens', '0', '5'],
  ['max_pending: 70000000', 'MaxPending', '67108864', '70000000'],
  ['max_closed_clients: 5', 'MaxClosedClients', '10000', '5'],
  ['lame_duck_duration: "40s"', 'LameDuckDuration', '2m0s', '40s'],
  ['lame_duck_grace_period: "5s"', 'LameDuckGracePeriod', '10s', '5s'],
  ['no_header_support: true', 'NoHeaderSupport', 'false', 'true'],
  ['disable_sublist_cache: true', 'NoSublistCache', 'false', 'true'],
  ['log_size_limit: 5000', 'LogSizeLimit', '0', '5000'],
  ['log_max_num: 5', 'LogMaxFiles', '0', '5'],
  ['http_base_path: "/nats"', 'HTTPBasePath', '', '/nats'],
  ['no_system_account: true', 'NoSystemAccount', 'false', 'true'],
  ['feature_flags { js_ack_fc_v2: true }', 'FeatureFlags', 'map[]', 'map[js_ack_fc_v2:true]'],
]

onEveryEngine('reloads that are refused', BASE, (bench) => {
  it('options that need a restart, with the old and the new value', async () => {
    for (const [line, name, before, after] of RESTART) {
      const reason = await refused(bench.server, `${BASE}${line}\n`)
      assert.equal(reason, `config reload not supported for ${name}: old=${before}, new=${after}`)
    }
  })

  it('host and port', async () => {
    const { server } = bench
    const other = await refused(server, BASE, 'listen: "127.0.0.2:-1"\n')
    assert.equal(other, 'config reload not supported for Host: old=127.0.0.1, new=127.0.0.2')
    const port = await refused(server, BASE, 'listen: "127.0.0.1:4999"\n')
    assert.equal(port, `config reload not supported for Port: old=${server.port}, new=4999`)
  })

  it('monitoring that moves', async () => {
    const reason = await refused(bench.server, 'http: "127.0.0.1:8999"\n')
    assert.match(reason, /^config reload not supported for HTTPPort: old=-?\d+, new=8999$/)
  })

  it('of a file with one such change nothing is applied', async (t) => {
    const reason = await refused(bench.server, `${BASE}max_payload: 10\nmax_subscriptions: 5\n`)
    assert.equal(reason, 'config reload not supported for MaxSubs: old=0, new=5')
    assert.equal((await bench.client(t)).info.max_payload, 1_048_576)
    const client = await bench.client(t, QUIET)
    client.pub('a', '01234567890')
    await client.pingPong()
  })

  it('a file that is wrong says where', async (t) => {
    const file = bench.server.configFile
    assert.equal(
      await refused(bench.server, `${BASE}max_payload: 10\nbogus: 1\n`),
      `${file}:4:1: unknown field "bogus"`,
    )
    assert.match(await refused(bench.server, `${BASE}max_payload: [\n`), /^Parse error on line \d+: '/)
    assert.equal((await bench.client(t)).info.max_payload, 1_048_576)
  })

  it('options that contradict each other', async () => {
    assert.equal(
      await refused(bench.server, `${BASE}max_payload: 2000\nmax_pending: 1000\n`),
      'max_payload (2000) cannot be higher than max_pending (1000)',
    )
    assert.equal(
      await refused(bench.server, `${BASE}lame_duck_duration: "30s"\nlame_duck_grace_period: "30s"\n`),
      'lame duck grace period (30s) should be strictly lower than lame duck duration (30s)',
    )
  })

  it('an address to advertise that is none', async () => {
    const reason = await refused(bench.server, `${BASE}client_advertise: "host:port"\n`)
    assert.match(reason, /^invalid ClientAdvertise value of host:port, err=/)
  })

  it('warnings do not keep a reload from being', async () => {
    const lines = await reload(bench.server, `${BASE}write_deadline: 5\n`)
    assert.ok(lines.includes('[INF] Reloaded: write_deadline = 5s'))
    await reload(bench.server, BASE)
  })
})

onEveryEngine(
  'reloads of a guest and of a system account that are refused',
  `${BASE}authorization { users: [{user: a, password: a}, {user: b, password: b}] }\nno_auth_user: a\n`,
  (bench) => {
    const users = (list: string): string => `${BASE}authorization { users: [${list}] }\n`
    const [a, b] = ['{user: a, password: a}', '{user: b, password: b}']
    it('the guest may go only with its user', async () => {
      const { server } = bench
      assert.equal(
        await refused(server, `${users(`${a}, ${b}`)}no_auth_user: b\n`),
        'config reload not supported for NoAuthUser: old=a, new=b',
      )
      assert.equal(
        await refused(server, users(`${a}, ${b}`)),
        'config reload not supported for NoAuthUser: old=a, new=',
      )
      await reload(server, users(b))
    })
    it('a guest may not come', async () => {
      assert.equal(
        await refused(bench.server, `${users(b)}no_auth_user: b\n`),
        'config reload not supported for NoAuthUser: old=, new=b',
      )
    })
    it('nor another system account', async () => {
      const reason = await refused(bench.server, `${BASE}accounts { S {} }\nsystem_account: S\n`)
      assert.match(reason, /^config reload not supported for SystemAccount: old=(\$SYS)?, new=S$/)
    })
  },
)
