import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAccount, decodeUser, explain, keyPairFromSeed } from '@ngs/identity/node'
import fc from 'fast-check'
import { build, caseArbitrary } from '../../identity/test/support/random-accounts.ts'
import { Environment } from '../src/environment.ts'
import { Keystore } from '../src/keystore/keystore.ts'
import { OperatorStore } from '../src/store/operator-store.ts'
import { Sandbox } from './support/sandbox.ts'

/** The commands that explain gives turn a no into a yes, one after the other, on stores of random accounts. */

const RUNS = Number(process.env['NGS_EXPLAIN_RUNS'] ?? 60)
const SEED = Number(process.env['NGS_EXPLAIN_SEED'] ?? 20260)
/** Faults of one plan, each with a command of its own. */
const MOST = 14

const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? '',
  )

test('the commands of explain lead to a yes', { timeout: 240_000 }, async (t) => {
  const counts = { atOnce: 0, mended: 0, commands: 0, hopeless: 0 }
  await fc.assert(
    fc.asyncProperty(caseArbitrary, async (plan) => {
      const sandbox = Sandbox.create(t, 'ours')
      await sandbox.ok(['add', 'operator', 'Op'])
      const store = OperatorStore.open(sandbox.stores, 'Op')
      const io = { env: { HOME: sandbox.home }, cwd: sandbox.home } as never
      const keystore = new Keystore(sandbox.keys, new Environment(io, {}))
      const operatorKey = keyPairFromSeed(keystore.get(sandbox.key('Op'))?.seed ?? '')
      const built = build(plan, operatorKey)
      for (const token of built.tokens) store.write(token)
      for (const key of [...built.keys, built.from.key, built.to.key]) keystore.store(key)
      const place = (user: typeof built.from) => {
        const owner = built.accounts.find(
          ({ sub }) => sub === (user.claims.nats.issuer_account ?? user.claims.iss),
        )
        return { account: owner?.name ?? '', name: user.claims.name ?? '', token: user.token }
      }
      const [from, to] = [place(built.from), place(built.to)]
      const { writeAtomically, makeFolder } = await import('../src/files.ts')
      for (const { account, name, token } of [from, to]) {
        const folder = `${sandbox.stores}/Op/accounts/${account}/users`
        makeFolder(folder)
        writeAtomically(`${folder}/${name}.jwt`, token)
      }
      const ask = () =>
        explain({
          operators: [store.operator()],
          accounts: built.accounts.map(({ name = '' }) => decodeAccount(sandbox.token('Op', name))),
          from: decodeUser(sandbox.token('Op', from.account, from.name)),
          to: decodeUser(sandbox.token('Op', to.account, to.name)),
          subject: built.subject,
          request: built.request,
        })
      let explained = ask()
      if (explained.reaches) {
        counts.atOnce++
        return
      }
      const done: string[] = []
      while (!explained.reaches) {
        if (explained.fix === null) {
          counts.hopeless++
          return
        }
        done.push(explained.fix)
        const story = () => `${done.join('\n')}\n${JSON.stringify(explained.steps, null, 1)}`
        assert.ok(done.length <= MOST, story())
        for (const command of explained.fix.split(' && ')) {
          const { code, stdout, stderr } = await sandbox.run(words(command).slice(1))
          assert.equal(code, 0, `${command}\n${stdout}${stderr}\n${story()}`)
        }
        explained = ask()
      }
      counts.mended++
      counts.commands += done.length
    }),
    { seed: SEED, numRuns: RUNS, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  )
  t.diagnostic(JSON.stringify(counts))
  assert.ok(counts.mended > counts.hopeless)
})
