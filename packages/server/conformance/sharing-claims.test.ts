// Exports and imports as JWTs write them: their names, old and new, and what services are told about users with JWTs.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import type { Export, Import, UserClaims } from '@ngs/identity/node'
import type { RawClient } from '@ngs/testkit'
import { wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const CONNECT = { verbose: false, headers: true, no_responders: true }
const EXPORTS: Export[] = [
  { name: 'ev', subject: 'ev.*.*', type: 'stream' },
  { name: 'calc', subject: 'calc.*.*', type: 'service' },
  { name: 'many', subject: 'many', type: 'service', response_type: 'Stream' },
  { name: 'parts', subject: 'parts', type: 'service', response_type: 'Chunked' },
]

inEveryWorld('exports and imports of JWTs', {}, (world) => {
  type Account = Awaited<ReturnType<typeof world.account>>
  const connect = async (
    t: TestContext,
    account: Account,
    lines: string[] = [],
    change: (claims: UserClaims) => void = () => {},
  ): Promise<RawClient & { jwt: string; user: string }> => {
    const one = await world.client(t, account.key, change, { connect: CONNECT })
    one.say(...lines)
    await one.flush()
    return one
  }
  const pair = async (...imports: Omit<Import, 'account'>[]): Promise<[Account, Account]> => {
    const exporter = await world.account((claims) => (claims.nats.exports = EXPORTS))
    const importer = await world.account((claims) => {
      claims.nats.imports = imports.map((item) => ({ ...item, account: exporter.key.publicKey }))
    })
    return [exporter, importer]
  }

  const streams: [what: string, Omit<Import, 'account' | 'type'>, subscribed: string, delivered: string][] = [
    ['no name of its own', { subject: 'ev.*.*' }, 'ev.>', 'ev.a.b'],
    ['a local subject', { subject: 'ev.*.*', local_subject: 'loc.$2.$1' }, 'loc.>', 'loc.b.a'],
    ['a local subject of wildcards', { subject: 'ev.*.*', local_subject: 'w.*.*' }, 'w.a.b', 'w.a.b'],
    ['the old field, which is a prefix', { subject: 'ev.a.*', to: 'pre' }, 'pre.>', 'pre.ev.a.b'],
  ]
  for (const [what, item, subscribed, delivered] of streams) {
    it(`a stream import with ${what}`, async (t) => {
      const [exporter, importer] = await pair({ name: 'ev', type: 'stream', ...item })
      const receiver = await connect(t, importer, [`SUB ${subscribed} 1`])
      const publisher = await connect(t, exporter)
      publisher.pub('ev.a.b', 'x')
      await publisher.flush()
      assert.equal(await receiver.flush(), wire(`MSG ${delivered} 1 1`, 'x'))
    })
  }

  const services: [what: string, Omit<Import, 'account' | 'type'>, asked: string][] = [
    ['no name of its own', { subject: 'calc.*.*' }, 'calc.a.b'],
    ['a local subject', { subject: 'calc.*.*', local_subject: 'loc.$2.$1' }, 'loc.b.a'],
    ['a literal local subject', { subject: 'calc.a.b', local_subject: 'sum' }, 'sum'],
    ['the old field, which is the subject of the exporter', { subject: 'sum', to: 'calc.a.b' }, 'sum'],
  ]
  for (const [what, item, asked] of services) {
    it(`a service import with ${what}`, async (t) => {
      const [exporter, importer] = await pair({ name: 'calc', type: 'service', ...item })
      const responder = await connect(t, exporter, ['SUB calc.> 1'])
      const asker = await connect(t, importer, ['SUB in 1'])
      asker.pub(asked, '', 'in')
      await asker.flush()
      const request = await responder.message()
      assert.equal(request.subject, 'calc.a.b')
      responder.pub(request.reply, 'yes')
      await responder.flush()
      assert.equal(await asker.flush(), wire('MSG in 1 3', 'yes'))
    })
  }

  for (const service of ['many', 'parts']) {
    it(`a service of type ${service} answers more than once`, async (t) => {
      const [exporter, importer] = await pair({ name: service, type: 'service', subject: service })
      const responder = await connect(t, exporter, [`SUB ${service} 1`])
      const asker = await connect(t, importer, ['SUB in 1'])
      asker.pub(service, '', 'in')
      await asker.flush()
      const { reply } = await responder.message()
      for (const body of ['1', '2']) responder.pub(reply, body)
      await responder.flush()
      assert.equal(await asker.flush(), wire('MSG in 1 1', '1', 'MSG in 1 1', '2'))
    })
  }

  it('an import that shares tells the JWT of the user, who signed it, its name and tags', async (t) => {
    const [exporter, importer] = await pair({ name: 'many', type: 'service', subject: 'many', share: true })
    const responder = await connect(t, exporter, ['SUB many 1'])
    const asker = await connect(t, importer, ['SUB in 1'], (claims) => {
      claims.name = 'alice'
      claims.nats.tags = ['blue']
    })
    asker.pub('many', '', 'in')
    await asker.flush()
    const { headers } = await responder.message()
    const info = JSON.parse(/Nats-Request-Info: ?(\{.*\})\r\n/.exec(headers)![1]!) as Record<string, unknown>
    assert.deepEqual(
      {
        acc: info['acc'],
        user: info['user'],
        jwt: info['jwt'],
        key: info['issuer_key'],
        name: info['name_tag'],
        tags: info['tags'],
      },
      {
        acc: importer.key.publicKey,
        user: asker.user,
        jwt: asker.jwt,
        key: importer.key.publicKey,
        name: 'alice',
        tags: ['blue'],
      },
    )
  })

  it('an export that becomes private cuts off who has no activation, and lets them in when it is public again', async (t) => {
    const [exporter, importer] = await pair(
      { name: 'ev', type: 'stream', subject: 'ev.*.*' },
      { name: 'many', type: 'service', subject: 'many' },
    )
    const inside = await connect(t, importer, ['SUB ev.> 1', 'SUB in 2'])
    const outside = await connect(t, exporter, ['SUB many 3'])
    const works = async (): Promise<[stream: boolean, service: boolean]> => {
      outside.pub('ev.a.b')
      await outside.flush()
      const stream = (await inside.flush()).includes('MSG ev.a.b 1')
      inside.pub('many', '', 'in')
      const refused = (await inside.flush()).includes('NATS/1.0 503')
      await outside.flush()
      return [stream, !refused]
    }
    assert.deepEqual(await works(), [true, true])
    for (const isPrivate of [true, false]) {
      exporter.claims.nats.exports = EXPORTS.map((item) => ({ ...item, token_req: isPrivate }))
      assert.ok((await world.push(exporter.claims)).data)
      assert.deepEqual(await works(), [!isPrivate, !isPrivate])
    }
  })

  it('imports of services that overlap in one account are no valid claims', async () => {
    const [, importer] = await pair()
    const exporter = await world.account(
      (claims) => (claims.nats.exports = [{ name: 'x', subject: 'x.>', type: 'service' }]),
    )
    importer.claims.nats.imports = ['x.>', 'x.one'].map((subject) => ({
      name: subject,
      subject,
      type: 'service',
      account: exporter.key.publicKey,
    }))
    assert.match(
      (await world.push(importer.claims)).error?.description ?? '',
      /overlapping subject namespace/,
    )
  })

  it('a list of two thousand imports holds', async (t) => {
    const [exporter, importer] = await pair()
    exporter.claims.nats.exports = [
      { name: 'x', subject: 'x.*', type: 'stream' },
      { name: 'q', subject: 'q.*', type: 'service' },
    ]
    await world.push(exporter.claims)
    const item = (kind: 'stream' | 'service', subject: string): Import => ({
      name: subject,
      subject,
      type: kind,
      account: exporter.key.publicKey,
    })
    importer.claims.nats.imports = Array.from({ length: 1000 }, (_, i) => [
      item('stream', `x.${i}`),
      item('service', `q.${i}`),
    ]).flat()
    assert.equal((await world.push(importer.claims)).data?.message, 'jwt updated')
    const inside = await connect(t, importer, ['SUB x.999 1', 'SUB in 2'])
    const outside = await connect(t, exporter, ['SUB q.* 3'])
    outside.pub('x.999')
    await outside.flush()
    assert.equal(await inside.flush(), wire('MSG x.999 1 0', ''))
    inside.pub('q.999', '', 'in')
    await inside.flush()
    assert.equal((await outside.message()).subject, 'q.999')
  })
})
