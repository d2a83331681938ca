// Mapping functions on thousands of generated subjects: both engines map the same messages, and all results have to be the same. Where only
// one engine is under test its results are compared with the functions as this repository's library computes them.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Transform } from '@ngs/identity/node'
import { Engine, type EngineUnderTest, enginesUnderTest, RawClient } from '@ngs/testkit'
import { QUIET } from './support.ts'

/** A generator of its own, so that each run has the same subjects. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return state / 0x80000000
  }
}

const next = random(20)
const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)]!
const LETTERS = ['a', 'b', 'c', 'Z', '0', '7', '-', '_', '--', 'é', '語', '$', '{', '/', '=']

function token(): string {
  const length = 1 + Math.floor(next() * 12)
  let text = ''
  for (let i = 0; i < length; i++) text += pick(LETTERS)
  return text
}

const FUNCTIONS: (() => string)[] = [
  () => `{{partition(${pick([1, 3, 10, 1000, 2147483647])},1)}}`,
  () => `{{Partition( ${pick([2, 7])} , 2 , 1)}}`,
  () => `{{partition(${pick([5, 64])},3,1,2)}}`,
  () => `{{partition(${pick([0, 16])})}}`,
  () => `{{split(${pick([1, 2, 3])},${pick(['-', '--', '_', 'a', 'é'])})}}`,
  () => `{{splitFromLeft(${pick([1, 2, 3])},${pick([0, 1, 2, 5, 20])})}}`,
  () => `{{SplitFromRight(${pick([1, 2, 3])}, ${pick([0, 1, 3, 4])})}}`,
  () => `{{slicefromleft(${pick([1, 2, 3])},${pick([1, 2, 3, 7, -1])})}}`,
  () => `{{ sliceFromRight(${pick([1, 2, 3])},${pick([1, 2, 3, 5])}) }}`,
  () => `{{left(${pick([1, 2, 3])},${pick([1, 2, 30])})}}`,
  () => `{{Right(${pick([1, 2, 3])},${pick([1, 4])})}}`,
  () => `{{wildcard(${pick([1, 2, 3])})}}`,
  () => `$${pick([1, 2, 3])}`,
  () => pick(['plain', '$x', '{{']),
]

const RULES = 60
const SUBJECTS = 50
const mappings = Array.from({ length: RULES }, (_, i) => {
  const tail = next() < 0.3
  const functions = Array.from({ length: 1 + Math.floor(next() * 4) }, () => pick(FUNCTIONS)())
  return {
    source: `r${i}.*.x.*.*${tail ? '.>' : ''}`,
    destination: `m${i}.${functions.join('.')}${tail ? '.>' : ''}`,
    subjects: Array.from(
      { length: SUBJECTS },
      () => `r${i}.${token()}.x.${token()}.${token()}${tail ? `.${token()}.${token()}` : ''}`,
    ),
  }
})
// The brace of a configuration string would begin a variable or a map only outside quotes.
const CONFIG = `mappings {\n${mappings.map(({ source, destination }) => `"${source}": "${destination}"`).join('\n')}\n}`

/** What each subject became; empty for a message that nobody got. */
async function results(t: TestContext, engine: EngineUnderTest): Promise<string[]> {
  const server = await Engine.start(t, { engine: engine.path, config: CONFIG })
  const listener = await RawClient.connect(t, server.port)
  const sender = await RawClient.connect(t, server.port)
  listener.say(QUIET, 'SUB > 1')
  await listener.flush()
  sender.say(QUIET)
  let number = 0
  const became: string[] = []
  for (const { subjects } of mappings) {
    for (const subject of subjects) sender.pub(Buffer.from(subject).latin1Slice(), `${number++}`)
    await sender.flush()
    const text = await listener.flush()
    for (const [, name, payload] of text.matchAll(/MSG (\S+) 1 \d+\r\n(\d+)\r\n/g))
      became[Number(payload)] = name!
  }
  return Array.from({ length: number }, (_, i) => became[i] ?? '')
}

describe('mapping functions', () => {
  it(`give the same results on ${RULES * SUBJECTS} subjects`, { timeout: 240_000 }, async (t) => {
    const wire = (text: string): string => Buffer.from(text).latin1Slice()
    const expected = mappings.flatMap(({ source, destination, subjects }) => {
      const transform = new Transform(wire(source), wire(destination))
      return subjects.map((subject) => {
        const name = transform.apply(wire(subject))
        // Nobody gets what has an empty token.
        return name.split('.').includes('') ? '' : name
      })
    })
    for (const engine of enginesUnderTest()) {
      const found = await results(t, engine)
      const subjects = mappings.flatMap(({ destination, subjects }) =>
        subjects.map((subject) => `${subject} by ${destination}`),
      )
      found.forEach((name, i) => {
        assert.equal(name, expected[i], `${engine.name}: ${subjects[i]}`)
      })
    }
  })
})
