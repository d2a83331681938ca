// What a reload does in operator mode: preloaded accounts, sentinel and pinned accounts change; operators and the resolver do not.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createKeyPair, encode, newAccountClaims, newUserClaims } from '@ngs/identity/node'
import { enginesUnderTest } from '@ngs/testkit'
import { refused, reload } from './reloading.ts'
import { wire } from './support.ts'
import { World } from './world.ts'

const VIOLATION = wire("-ERR 'Authorization Violation'")

for (const engine of enginesUnderTest()) {
  describe(`a reload with a resolver in memory [${engine.name}]`, () => {
    const [kept, gone, added] = [createKeyPair('account'), createKeyPair('account'), createKeyPair('account')]
    const preload: Record<string, string> = {}
    const world: World = new World({ resolver: 'MEMORY', preload })
    const token = (key: typeof kept, payload = -1): string => {
      const claims = newAccountClaims(key.publicKey)
      claims.nats.limits.payload = payload
      return world.sign(claims)
    }
    /** The system account's token stays the same: only what a test changes has changed. */
    let config = ''
    const again = (): string => {
      const lines = Object.entries(preload).map(([key, value]) => `${key}: ${value}`)
      return config.replace(/# preload\n[^}]*/, `# preload\n${lines.join('\n')}\n`)
    }
    before(async () => {
      preload[kept.publicKey] = token(kept)
      preload[gone.publicKey] = token(gone)
      config = world.config().replace('resolver_preload {', 'resolver_preload {\n# preload\n')
      await world.start(engine.path)
    })
    after(() => world.stop())

    it('makes accounts what their new tokens say, for those who are connected', async (t) => {
      const system = /resolver_preload \{[^}]*?(A\w{55}: \S+)/.exec(config)![1]!
      const [key, value] = system.split(': ')
      preload[key!] = value!
      const one = await world.client(t, kept)
      await one.flush()
      const other = await world.client(t, gone)
      await other.flush()
      preload[kept.publicKey] = token(kept, 5)
      delete preload[gone.publicKey]
      preload[added.publicKey] = token(added)
      await reload(world.server, again())
      one.say('PUB a 6', 'abcdef')
      assert.equal(await one.closed(), wire("-ERR 'Maximum Payload Violation'"))
      assert.equal(await other.closed(), VIOLATION)
      assert.equal(await (await world.client(t, added)).flush(), '')
      assert.equal(await (await world.client(t, gone)).closed(), VIOLATION)
    })
    it('takes another sentinel, and other pinned accounts', async (t) => {
      const nobody = await world.client(t, kept, undefined, { send: false })
      nobody.connect({ verbose: false })
      assert.equal(await nobody.closed(), VIOLATION)
      const claims = newUserClaims(createKeyPair('user').publicKey, 'sentinel')
      claims.nats.bearer_token = true
      const sentinel = `default_sentinel: ${encode(claims, kept)}\n`
      await reload(world.server, again() + sentinel)
      const guest = await world.client(t, kept, undefined, { send: false })
      guest.connect({ verbose: false })
      assert.equal(await guest.flush(), '')
      await reload(world.server, `${again()}resolver_pinned_accounts: [ ${added.publicKey} ]\n`)
      assert.equal(await (await world.client(t, kept)).closed(), VIOLATION)
      assert.equal(await (await world.client(t, added)).flush(), '')
    })
    it('changes neither operators nor the kind of the resolver', async () => {
      const other = new World({ resolver: 'MEMORY' })
      other.operator.nats.system_account = world.systemKey.publicKey
      const operator = /operator: \S+/
      const changed = config.replace(operator, operator.exec(other.config())![0])
      assert.match(
        await refused(world.server, changed),
        /config reload not supported for Trusted(Keys|Operators)/,
      )
    })
  })
}
