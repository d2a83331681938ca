import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { flagTable } from '../src/cli/flag-table.ts'
import { ENTRIES } from '../src/cli/registry.ts'
import { ELSEWHERE, FRAMES, type Frame, OWN_FLAGS, samplesOf, toArgs } from './frames/index.ts'
import { differenceOf } from './support/differences.ts'
import { meaningOf } from './support/meaning.ts'
import { needsOfficial, normalize, type Outcome, type Sandbox } from './support/sandbox.ts'
import { type Homes, Template } from './support/template.ts'
import { sameTokens } from './support/tokens.ts'

/**
 * Every command and every flag, given something it takes and something it refuses, on copies of one store: what the
 * program says and what it leaves behind is what the official program says and leaves behind. Then each validates what
 * the other one left.
 */

/** Scenarios run at a time: each starts a process or two of the official program. */
const PARALLEL = 3

/** What prints seeds because it exists for that. */
const PRINTS_SEEDS = [/^generate (nkey|creds|profile)/, /^test nkey/, /^list keys .*-A?S/]
const SEED = /(?<![A-Z2-7])S[OAUX][A-Z2-7]{56}(?![A-Z2-7])/
const leaks: string[] = []

interface Scenario {
  command: string
  frame: Frame
  tail: string | ((sandbox: Sandbox) => string)
}

const table = await flagTable(ENTRIES)
const scenarios = table.flatMap(({ path, command }): Scenario[] => {
  const name = path.replace(/^nsc /, '')
  const frame = FRAMES[name]
  if (!frame) return []
  const flags = (command.flags ?? []).filter(
    (flag) => !flag.deprecated && !OWN_FLAGS.includes(`${name} ${flag.name}`),
  )
  const tails = [...(frame.more ?? []), ...flags.flatMap((flag) => samplesOf(frame, flag))]
  return ['', ...tails].map((tail) => ({ command: name, frame, tail }))
})

test('every command is compared: here, or by a test of its own', () => {
  const names = table.map(({ path }) => path.replace(/^nsc /, ''))
  assert.deepEqual(
    names.filter((name) => !FRAMES[name] && !ELSEWHERE.includes(name)),
    [],
  )
  assert.ok(scenarios.length >= 150)
})

const groups = Map.groupBy(scenarios, ({ command }) => command.split(' ')[0] ?? '')
let template: Template | null = null

for (const [group, members] of groups)
  test(`${members.length} of ${scenarios.length} scenarios: ${group}`, needsOfficial, async () => {
    template ??= await Template.make()
    const differences: unknown[] = []
    const queue = [...members]
    const work = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const difference = await compare(template as Template, next)
        if (difference) differences.push(difference)
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, work))
    // As text: the runner would cut objects that are this deep.
    const text = differences.map((difference) => JSON.stringify(difference, null, 1)).join('\n')
    assert.equal(text, '')
  })

test('no seed is printed but by the commands made for it', needsOfficial, () => {
  assert.deepEqual(
    leaks.filter((call) => !PRINTS_SEEDS.some((pattern) => pattern.test(call))),
    [],
  )
  // The check sees seeds: those commands have printed some.
  assert.ok(leaks.length > 5)
})

async function compare(template: Template, scenario: Scenario): Promise<unknown> {
  const { command, frame, tail } = scenario
  const homes = frame.reads ? shared(template, command) : template.pair()
  const call = `${command} ${typeof tail === 'string' ? tail : tail(homes[0])}`
  const [ours, official] = await Promise.all(
    homes.map(async (home) => {
      for (const before of frame.before ?? []) await home.run(toArgs(before, home))
      const outcome = await home.run([...command.split(' '), ...argumentsOf(frame, tail, home)])
      if (home.which === 'ours' && SEED.test(outcome.stdout + outcome.stderr)) leaks.push(call)
      return said(home, outcome, { anyOrder: command === 'fix' })
    }),
  )
  const known = differenceOf(call)
  const found: Record<string, unknown> = {}
  if (!known && !isDeepStrictEqual(ours, official)) Object.assign(found, { ours, official })
  if (!frame.reads) {
    if (known?.leaves !== 'other files') Object.assign(found, await left(homes, ours?.code === 0))
    for (const home of homes) home.remove()
  }
  const real = Object.entries(found).filter(([, value]) => value !== null && value !== undefined)
  return real.length > 0 ? { call, ...Object.fromEntries(real) } : null
}

/** Commands that only look share a pair of homes. */
const readers = new Map<string, Homes>()

function shared(template: Template, command: string): Homes {
  const homes = readers.get(command) ?? template.pair()
  readers.set(command, homes)
  return homes
}

after(() => {
  for (const homes of readers.values()) for (const home of homes) home.remove()
})

/** What differs in what the two programs left behind. */
async function left(homes: Homes, succeeded: boolean): Promise<Record<string, unknown>> {
  const [tree, officialTree] = homes.map((home) => home.tree())
  return {
    files: isDeepStrictEqual(tree, officialTree)
      ? null
      : { ours: minus(tree, officialTree), official: minus(officialTree, tree) },
    tokens: sameTokens(...homes),
    crosswise: succeeded ? await crosswise(homes) : null,
  }
}

/** The arguments of the frame give way to those of the tail where both speak of the same flag. */
function argumentsOf(frame: Frame, tail: Scenario['tail'], home: Sandbox): string[] {
  const own = toArgs(tail, home)
  const base = toArgs(frame.args ?? '', home)
  // A tail that says nothing about flags is a whole call of its own where the frame lists it so.
  return frame.more?.includes(tail) && tail !== '' && !own.some((word) => word.startsWith('-'))
    ? own
    : [...base, ...own]
}

function said(home: Sandbox, { code, stdout, stderr }: Outcome, options: { anyOrder?: boolean } = {}) {
  const [out, err] = [stdout, stderr].map((text) => meaningOf(normalize(text, home), options))
  return { code, stdout: out, stderr: err }
}

/** Each program validates the other one's store; neither may see more in it than its maker does. */
async function crosswise([ours, official]: Homes): Promise<unknown> {
  const check = ['validate', '--all-accounts']
  const [a, b] = await Promise.all([
    ours.run(check, { which: 'official' }).then((outcome) => said(ours, outcome)),
    official.run(check, { which: 'ours' }).then((outcome) => said(official, outcome)),
  ])
  return isDeepStrictEqual(a, b) ? null : { 'official on ours': a, 'ours on official': b }
}

function minus(a: readonly string[] = [], b: readonly string[] = []): string[] {
  return a.filter((line) => !b.includes(line))
}
