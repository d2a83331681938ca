// Templates of scoped signing keys beyond the plain cases: odd spellings, products that grow, entries beside them.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { createKeyPair, newUserScope, type Permissions } from '@ngs/identity/node'
import type { RawClient } from '@ngs/testkit'
import { wire } from './support.ts'
import { inEveryWorld } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")
const noPub = (subject: string): string => wire(`-ERR 'Permissions Violation for Publish to "${subject}"'`)
const noSub = (subject: string, queue: string): string =>
  wire(
    `-ERR 'Permissions Violation for Subscription to "${subject}"${queue === '' ? '' : ` using queue "${queue}"`}'`,
  )

inEveryWorld('templates', {}, (world) => {
  const client = async (
    t: TestContext,
    template: Partial<Permissions>,
    tags: string[] = ['team:red', 'team:blue'],
    name = 'joe',
  ): Promise<RawClient> => {
    const signing = createKeyPair('account')
    const { key } = await world.account((account) => {
      const scope = newUserScope(signing.publicKey)
      Object.assign(scope.template, template)
      account.nats.signing_keys = [scope]
    })
    return world.client(t, signing, (user) => {
      Object.assign(user, { name })
      Object.assign(user.nats, { issuer_account: key.publicKey, subs: 0, data: 0, payload: 0, tags })
    })
  }
  const publishes = async (one: RawClient, subjects: string[]): Promise<string> => {
    one.say(...subjects.flatMap((subject) => [`PUB ${subject} 0`, '']))
    return one.flush()
  }

  it('know their functions in any case, but tags only in lower case', async (t) => {
    const allow = [
      'a.{{NAME()}}',
      'b.{{Tag(team)}}',
      'c.{{tag(TEAM)}}',
      'd.{{tag( team )}}',
      'e.{{ tag(team) }}',
    ]
    const one = await client(t, { pub: { allow } })
    assert.equal(
      await publishes(one, ['a.joe', 'b.red', 'c.red', 'c.blue', 'd.red', 'e.red']),
      noPub('b.red') + noPub('d.red'),
    )
  })

  it('need something between their braces to be ones', async (t) => {
    const one = await client(t, { pub: { allow: ['a.{{}}', 'b.{{name()}}'] } })
    assert.equal(await publishes(one, ['a.{{}}', 'b.joe', 'a.x']), noPub('a.x'))
  })

  it('repeat a tag that stands twice in an entry', async (t) => {
    const one = await client(t, { pub: { allow: ['{{tag(team)}}.{{tag(team)}}'] } })
    assert.equal(await publishes(one, ['red.red', 'blue.blue', 'red.blue']), noPub('red.blue'))
  })

  it('drop an allowed entry whose value makes no subject, and refuse a denied one', async (t) => {
    const allowed = await client(t, { pub: { allow: ['x.{{name()}}', 'y'] } }, [], 'has blank')
    assert.equal(await publishes(allowed, ['x.has', 'y']), noPub('x.has'))
    const denied = await client(t, { pub: { deny: ['x.{{name()}}'] } }, [], 'has blank')
    assert.equal(await denied.closed(), VIOLATION)
    await world.waitForLogOf(denied, /User JWT generated invalid permissions/)
  })

  it('leave nothing allowed when nothing is left', async (t) => {
    const one = await client(t, { pub: { allow: ['{{tag(none)}}'] }, sub: { allow: ['{{tag(none)}}'] } })
    one.say('SUB a 1')
    assert.equal(await one.flush(), noSub('a', ''))
    assert.equal(await publishes(one, ['a']), noPub('a'))
  })

  it('take a queue name beside them for part of a subject, which is none', async (t) => {
    const beside = await client(t, { sub: { allow: ['{{name()}}', 'work q'] } })
    beside.say('SUB joe 1', 'SUB work q 2')
    assert.equal(await beside.flush(), noSub('work', 'q'))
    const alone = await client(t, { sub: { allow: ['joe', 'work q'] } })
    alone.say('SUB joe 1', 'SUB work q 2', 'SUB work p 3')
    assert.equal(await alone.flush(), noSub('work', 'p'))
    const denied = await client(t, { sub: { deny: ['{{name()}}', 'work q'] } })
    assert.equal(await denied.closed(), VIOLATION)
  })

  it('give 4096 subjects at most', async (t) => {
    const tags = (count: number, name: string): string[] =>
      Array.from({ length: count }, (_, i) => `${name}:${i}`)
    const most = await client(t, { pub: { allow: ['{{tag(a)}}.{{tag(b)}}'] } }, [
      ...tags(64, 'a'),
      ...tags(64, 'b'),
    ])
    assert.equal(await publishes(most, ['63.63', '64.0']), noPub('64.0'))
    const more = await client(t, { pub: { allow: ['{{tag(a)}}.{{tag(b)}}'] } }, [
      ...tags(64, 'a'),
      ...tags(65, 'b'),
    ])
    assert.equal(await more.closed(), VIOLATION)
    await world.waitForLogOf(more, /User JWT generated invalid permissions/)
  })
})
