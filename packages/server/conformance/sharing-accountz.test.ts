// What /accountz tells about the exports and imports of accounts with JWTs while they change.
import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import {
  type AccountClaims,
  createKeyPair,
  encode,
  type KeyPair,
  newActivationClaims,
} from '@ngs/identity/node'
import { inEveryWorld, now } from './world.ts'

interface Shared {
  subject: string
  type: string
  local_subject?: string
  invalid?: boolean
  share?: boolean
  revoked_activations?: Record<string, string>
}
interface Detail {
  complete: boolean
  exports?: Shared[]
  imports?: Shared[]
}

inEveryWorld('exports and imports in /accountz', {}, (world) => {
  /** Accounts are in memory once somebody is there. */
  const enter = async (t: TestContext, ...keys: KeyPair[]): Promise<void> => {
    for (const key of keys) await (await world.client(t, key)).flush()
  }
  const detail = async ({ publicKey }: KeyPair): Promise<Detail> => {
    const path = `/accountz?acc=${publicKey}`
    return (await world.server.monitor<{ account_detail: Detail }>(path)).account_detail
  }
  /** `type subject -> local`, with a mark on the invalid ones; the server's own left out. */
  const imports = ({ imports = [] }: Detail): string[] =>
    imports
      .filter(({ subject }) => !subject.startsWith('$SYS.'))
      .map(
        ({ type, subject, local_subject, invalid }) =>
          `${type} ${subject} -> ${local_subject}${invalid ? ' invalid' : ''}`,
      )
      .sort()

  it('an import names its local subject with wildcards for references', async (t) => {
    const exporter = await world.account((claims) => {
      claims.nats.exports = [
        { name: 's', subject: 's.*.*', type: 'stream' },
        { name: 'q', subject: 'q.*.*', type: 'service' },
      ]
    })
    const importer = await world.account((claims) => {
      const account = exporter.key.publicKey
      claims.nats.imports = [
        { name: 's', subject: 's.*.*', account, type: 'stream', local_subject: 'l.$2.$1' },
        { name: 'q', subject: 'q.*.*', account, type: 'service', local_subject: 'l.$2.x.$1' },
        { name: 'p', subject: 's.a.*', account, type: 'stream', to: 'pre' },
      ]
    })
    await enter(t, importer.key)
    assert.deepEqual(imports(await detail(importer.key)), [
      'service q.*.* -> l.*.x.*',
      'stream s.*.* -> l.*.*',
      'stream s.a.* -> pre.s.a.*',
    ])
  })

  it('what was never let in is not listed, and the account not complete', async (t) => {
    const key = createKeyPair('account')
    const exporter = await world.account((claims) => {
      claims.nats.exports = [
        { name: 'a', subject: 'a', type: 'stream' },
        { name: 'p', subject: 'p', type: 'service', token_req: true },
      ]
    })
    const account = exporter.key.publicKey
    const importer = await world.account((claims) => {
      claims.nats.imports = [
        { name: 'a', subject: 'a', account, type: 'stream' },
        { name: 'p', subject: 'p', account, type: 'service' },
        { name: 'n', subject: 'n', account, type: 'service' },
        { name: 'x', subject: 'x', account: key.publicKey, type: 'stream' },
      ]
    })
    await enter(t, importer.key)
    const before = await detail(importer.key)
    assert.deepEqual([imports(before), before.complete], [['stream a -> a'], false])
    importer.claims.nats.imports = importer.claims.nats.imports!.slice(0, 1)
    await world.push(importer.claims)
    const after = await detail(importer.key)
    assert.deepEqual([imports(after), after.complete], [['stream a -> a'], true])
  })

  it('what is not let in any more is listed as invalid, until it is again', async (t) => {
    const exporterKey = createKeyPair('account')
    const importerKey = createKeyPair('account')
    const account = exporterKey.publicKey
    const { claims: exporter } = await world.account((claims) => {
      claims.sub = account
      claims.nats.exports = [
        { name: 's', subject: 's', type: 'stream', token_req: true },
        { name: 'q', subject: 'q', type: 'service', token_req: true },
      ]
    })
    const activation = (kind: 'stream' | 'service', subject: string): string => {
      const claims = newActivationClaims(importerKey.publicKey, 'a')
      claims.nats.kind = kind
      claims.nats.subject = subject
      return encode(claims, exporterKey)
    }
    await world.account((claims) => {
      claims.sub = importerKey.publicKey
      claims.nats.imports = [
        { name: 's', subject: 's', account, type: 'stream', token: activation('stream', 's') },
        { name: 'q', subject: 'q', account, type: 'service', token: activation('service', 'q') },
      ]
    })
    await enter(t, exporterKey, importerKey)
    const seen = async (change: (claims: AccountClaims) => void): Promise<[string[], boolean]> => {
      change(exporter)
      await world.push(exporter)
      const found = await detail(importerKey)
      return [imports(found), found.complete]
    }
    const revoke = (claims: AccountClaims): void => {
      for (const item of claims.nats.exports!) item!.revocations = { [importerKey.publicKey]: now() }
    }
    const forgive = (claims: AccountClaims): void => {
      for (const item of claims.nats.exports!) delete item!.revocations
    }
    const [valid, invalid] = [
      ['service q -> q', 'stream s -> s'],
      ['service q -> q invalid', 'stream s -> s invalid'],
    ]
    assert.deepEqual(await seen(() => {}), [valid, true])
    assert.deepEqual(await seen(revoke), [invalid, true])
    assert.deepEqual(await seen(forgive), [valid, true])
  })

  it('revoked activations are listed but for streams that everybody may import', async (t) => {
    const at = now() - 60
    const revocations = { '*': at }
    const { key } = await world.account((claims) => {
      claims.nats.exports = [
        { name: 'open', subject: 'open', type: 'stream', revocations },
        { name: 'private', subject: 'private', type: 'stream', token_req: true, revocations },
        { name: 'own', subject: 'own.*', type: 'stream', account_token_position: 2, revocations },
        { name: 'service', subject: 'service', type: 'service', revocations },
      ]
    })
    await enter(t, key)
    const time = new Date(at * 1000).toISOString().replace('.000', '')
    const found = (await detail(key)).exports!.map(({ subject, revoked_activations: list }) => [
      subject,
      list === undefined ? null : [Object.keys(list), new Date(list['*']!).getTime(), list['*']!.length],
    ])
    assert.deepEqual(Object.fromEntries(found), {
      open: null,
      private: [['*'], at * 1000, time.length],
      'own.*': [['*'], at * 1000, time.length],
      service: [['*'], at * 1000, time.length],
    })
  })
})
