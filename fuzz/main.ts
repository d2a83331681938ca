// npm run fuzz [-- TARGET ...] [--seconds S] [--seed N] [--case N]: throws bad input at what reads it, bounded in time.
// Case N of seed S is the same bytes everywhere: a finding names both, and becomes a test.
import { parseArgs } from 'node:util'
import { Random } from './random.ts'
import { Finding, type Target } from './target.ts'
import { targets } from './targets/index.ts'

/** Cases between two checks that the thing under test is well. */
const ROUND = 200
const SHOWN = 2_000

const { values, positionals } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    seed: { type: 'string' },
    case: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
  allowPositionals: true,
})
const chosen = positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name))
const unknown = positionals.find((name) => targets.every((target) => target.name !== name))
const seconds = Number(values.seconds)
// A new seed a day: findings stay repeatable, and the search goes on.
const seed = Number(values.seed ?? Math.floor(Date.now() / 86_400_000))
if (values.help || unknown !== undefined || !(seconds > 0) || !Number.isInteger(seed)) {
  if (unknown !== undefined) console.error(`no target is called ${unknown}`)
  console.log(`usage: npm run fuzz [-- TARGET ...] [--seconds S] [--seed N] [--case N]

  --seconds S  time for each target (default 10)
  --seed N     which cases (default: one a day)
  --case N     that case alone, to repeat a finding

targets:
${targets.map(({ name, about }) => `  ${name.padEnd(10)} ${about}`).join('\n')}`)
  process.exit(values.help ? 0 : 1)
}

let failed = 0
for (const target of chosen) if (!(await fuzz(target))) failed++
console.log(`${chosen.length - failed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)

async function fuzz(target: Target): Promise<boolean> {
  const session = await target.start()
  const end = Date.now() + seconds * 1_000
  const only = values.case === undefined ? null : Number(values.case)
  let count = only ?? 0
  try {
    do {
      // Each case has a generator of its own, so that it can be repeated alone.
      await session.one(new Random(seed * 1_000_003 + count))
      count++
      if (count % ROUND === 0 || only !== null) await session.check?.()
    } while (only === null && Date.now() < end)
    await session.check?.()
    console.log(`${target.name}: ${count} cases of seed ${seed}`)
    return true
  } catch (error) {
    console.error(`${target.name}: case ${count} of seed ${seed}: ${(error as Error).stack}`)
    if (error instanceof Finding) console.error(`input: ${JSON.stringify(error.input.slice(0, SHOWN))}`)
    console.error(`again: npm run fuzz -- ${target.name} --seed ${seed} --case ${count}`)
    return false
  } finally {
    await session.stop?.()
  }
}
