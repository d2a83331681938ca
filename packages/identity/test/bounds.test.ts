// Claims that a stranger made as large as they can be: judged in bounded time, with a bounded list of what is wrong.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createKeyPair, newAccountClaims, validate } from '../src/node.ts'
import { SubjectIndex } from '../src/subject-index.ts'
import { isContainedIn, subjectsOverlap } from '../src/subjects.ts'

const COUNT = 5_000

describe('an account with thousands of', () => {
  const account = createKeyPair('account').publicKey
  const other = createKeyPair('account').publicKey
  const claims = () => newAccountClaims(account, 'A')

  it('service imports is judged import by import', () => {
    const one = claims()
    one.nats.imports = Array.from({ length: COUNT }, (_, i) => ({
      name: `${i}`,
      subject: `x.${i}`,
      type: 'service',
      account: other,
    }))
    assert.deepEqual(
      validate(one).filter(({ level }) => level === 'error'),
      [],
    )
  })

  it('imports of one local subject lists the first overlaps only', () => {
    const one = claims()
    one.nats.imports = Array.from({ length: COUNT }, (_, i) => ({
      name: `${i}`,
      subject: `x.${i}`,
      local_subject: 'here',
      type: 'service',
      account: other,
    }))
    const overlaps = validate(one).filter(({ text }) => text.startsWith('overlapping subject namespace'))
    assert.equal(overlaps.length, 1_000)
    assert.match(overlaps[0]!.text, /^overlapping subject namespace for "here" and "here" in same account/)
  })

  it('exports within each other lists the first of them only', () => {
    const one = claims()
    one.nats.exports = Array.from({ length: COUNT }, (_, i) => ({
      name: `${i}`,
      subject: i % 2 === 0 ? `x.${i}.*` : `x.${i - 1}.y`,
      type: 'stream',
    }))
    const contained = validate(one).filter(({ text }) => text.includes('already exports'))
    assert.equal(contained.length, 1_000)
    assert.equal(contained[0]!.text, 'stream export subject "x.0.*" already exports "x.0.y"')
  })

  it('exports that all overlap, none within another, is judged export by export', () => {
    // Half of twelve tokens are wildcards, each time others.
    const half = Array.from({ length: 2 ** 12 }, (_, i) => i.toString(2).padStart(12, '0')).filter(
      (bits) => bits.replaceAll('0', '').length === 6,
    )
    const one = claims()
    one.nats.exports = half.map((bits) => ({
      name: bits,
      subject: [...bits].map((bit) => (bit === '1' ? '*' : 'x')).join('.'),
      type: 'stream',
    }))
    assert.deepEqual(
      validate(one).filter(({ level }) => level === 'error'),
      [],
    )
  })
})

describe('the index of subjects', () => {
  it('finds what a comparison with each subject finds', () => {
    const tokens = ['a', 'b', '*', '>']
    const subjects: string[] = []
    const build = (prefix: string[]): void => {
      for (const token of tokens) {
        const subject = [...prefix, token]
        subjects.push(subject.join('.'))
        if (token !== '>' && subject.length < 3) build(subject)
      }
    }
    build([])
    const index = new SubjectIndex()
    for (const [i, subject] of subjects.entries()) index.add(subject, i)
    for (const subject of subjects) {
      const expected = subjects.flatMap((other, i) => (subjectsOverlap(subject, other) ? [i] : []))
      assert.deepEqual(index.overlapping(subject), expected, subject)
      const wider = subjects.flatMap((other, i) => (isContainedIn(subject, other) ? [i] : []))
      assert.deepEqual(index.containing(subject), wider, subject)
    }
  })
})
