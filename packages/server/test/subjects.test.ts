// The subject index against a naive one; renaming; permissions.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { intersect, Renaming, RenamingError } from '@ngs/identity/node'
import fc from 'fast-check'
import { ResponseGrants } from '../src/connection/grants.ts'
import { Matcher } from '../src/subject/matcher.ts'
import { Permissions, type PermissionsSpec } from '../src/subject/permissions.ts'
import { fromWire, isLiteral, isValidSubscription, toWire } from '../src/subject/subject.ts'

/** The definition, token by token. */
function naive(pattern: string, subject: string): boolean {
  const a = pattern.split('.')
  const b = subject.split('.')
  if (b.includes('')) return false
  for (const [i, token] of a.entries()) {
    if (token === '>' && i === a.length - 1) return b.length > i
    if (i >= b.length || (token !== '*' && token !== b[i])) return false
  }
  return a.length === b.length
}

const token = fc.constantFrom('a', 'b', 'c', 'foo')
const subject = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, tail]) => (tail ? [...tokens.slice(1), '>'] : tokens).join('.'))

describe('the matcher', () => {
  it('agrees with the definition, also after removals', () => {
    fc.assert(
      fc.property(
        fc.array(pattern, { maxLength: 20 }),
        fc.array(fc.nat(19), { maxLength: 10 }),
        fc.array(fc.oneof(subject, fc.constantFrom('a..b', '.a', 'a.', 'a.*', '')), { minLength: 1 }),
        (patterns, removed, subjects) => {
          const index = new Matcher<number>()
          const present = new Map(patterns.map((text, i) => [i, text]))
          for (const [i, text] of present) index.insert(text, i)
          for (const i of removed) {
            const text = present.get(i)
            assert.equal(text !== undefined && index.remove(text, i), text !== undefined)
            present.delete(i)
          }
          assert.equal(index.size, present.size)
          assert.equal([...index.all()].length, present.size)
          for (const one of subjects) {
            const found: number[] = []
            index.match(one, found)
            assert.deepEqual(
              found.toSorted(),
              [...present]
                .filter(([, text]) => naive(text, one))
                .map(([i]) => i)
                .toSorted(),
              one,
            )
          }
        },
      ),
      { numRuns: 500 },
    )
  })
  it('raises its generation with every change', () => {
    const index = new Matcher<number>()
    const before = index.generation
    index.insert('a', 1)
    assert.notEqual(index.generation, before)
    const between = index.generation
    assert.equal(index.remove('a', 2), false)
    assert.equal(index.generation, between)
    index.remove('a', 1)
    assert.notEqual(index.generation, between)
  })
})

describe('subjects', () => {
  it('keep any bytes on the way to text and back', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => fromWire(toWire(text.toWellFormed())) === text.toWellFormed(),
      ),
    )
  })
  it('are valid by their tokens', () => {
    for (const good of ['a', 'a.b', '*', '>', 'a.>', 'a*', 'a>b', '**'])
      assert.ok(isValidSubscription(good), good)
    for (const bad of ['', '.', 'a.', '.a', 'a..b', '>.a', 'a.>.b']) assert.ok(!isValidSubscription(bad), bad)
    assert.ok(isLiteral('a*.b') && !isLiteral('a.*'))
  })
})

describe('renaming over imports', () => {
  for (const [from, to, remote, local] of [
    ['e.*.*', 'l.$2.$1', 'e.a.b', 'l.b.a'],
    ['e.>', 'p.e.>', 'e.x.y', 'p.e.x.y'],
    ['one', 'uno', 'one', 'uno'],
    ['e.*', 'l.*', 'e.x', 'l.x'],
    ['e.*', 'l.{{wildcard(1)}}.z', 'e.x', 'l.x.z'],
    ['a.*.*.*', 'b.$3.$1.$2', 'a.1.2.3', 'b.3.1.2'],
  ] as const) {
    it(`maps ${from} to ${to} and back`, () => {
      const transform = new Renaming(from, to)
      assert.equal(transform.forward(remote), local)
      assert.equal(transform.backward(local), remote)
    })
  }
  it('refuses sides that do not fit', () => {
    assert.throws(() => new Renaming('a.*', 'b.$2'), RenamingError)
    assert.throws(() => new Renaming('a.>', 'b'), RenamingError)
    assert.throws(() => new Renaming('a', 'b.>'), RenamingError)
  })
  it('finds the part of an import that a subscription asks for', () => {
    for (const [subscribed, local, part] of [
      ['>', 'e.>', 'e.>'],
      ['*.x', 'e.>', 'e.x'],
      ['e.*', 'e.>', 'e.*'],
      ['l.>', 'l.*.*', 'l.*.*'],
      ['*.*.b', 'l.*.*', 'l.*.b'],
      ['x.>', 'l.*.*', null],
      ['l', 'l.*', null],
    ] as const) {
      assert.equal(intersect(subscribed, local), part, `${subscribed} of ${local}`)
    }
  })
})

describe('permissions', () => {
  const make = (change: Partial<PermissionsSpec>): Permissions =>
    new Permissions({
      publish: { allow: [], deny: [] },
      subscribe: { allow: [], deny: [] },
      responses: null,
      ...change,
    })
  it('allow everything without lists', () => {
    const none = make({})
    assert.ok(none.mayPublish('x') && none.maySubscribe('>', 'q') && !none.needsFilter('>', null))
  })
  it('name queues by pattern', () => {
    const some = make({ subscribe: { allow: ['foo', 'foo v1', 'bar *.dev'], deny: ['foo secret'] } })
    assert.deepEqual(
      [
        some.maySubscribe('foo', null),
        some.maySubscribe('foo', 'v1'),
        some.maySubscribe('foo', 'v2'),
        some.maySubscribe('bar', 'x.dev'),
        some.maySubscribe('bar', null),
      ],
      [true, true, false, true, false],
    )
  })
  it('filter deliveries where a deny entry overlaps', () => {
    const some = make({ subscribe: { allow: [], deny: ['foo.bar', 'q.x work'] } })
    assert.deepEqual(
      [some.needsFilter('foo.*', null), some.needsFilter('bar.*', null), some.needsFilter('foo.baz', null)],
      [true, false, false],
    )
    assert.deepEqual(
      [some.mayReceive('foo.bar', null), some.mayReceive('q.x', null), some.mayReceive('q.x', 'work')],
      [false, true, false],
    )
  })
  it('allow only responses when nothing else is allowed', () => {
    const some = make({ responses: { max: 0, ttl: 0 } })
    assert.equal(some.mayPublish('x'), false)
    assert.deepEqual(some.responses, { max: 1, ttl: 120_000 })
  })
  it('count the uses of a granted response', () => {
    const grants = new ResponseGrants(2, 60_000, (name) => name === 'static')
    grants.allow('r')
    grants.allow('static')
    assert.deepEqual(
      [grants.use('r'), grants.use('r'), grants.use('r'), grants.use('static'), grants.use('other')],
      [true, true, false, false, false],
    )
    grants.allow('r')
    grants.allow('r')
    assert.deepEqual(
      [grants.use('r'), grants.use('r')],
      [true, false],
      'asked again while live, it lost a use',
    )
    const expired = new ResponseGrants(-1, 0.0001, () => false)
    expired.allow('r')
    const end = performance.now() + 2
    while (performance.now() < end);
    assert.equal(expired.use('r'), false)
  })
})
