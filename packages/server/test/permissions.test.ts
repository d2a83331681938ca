// Permission sets against the naive model of the conformance suite.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { covers, mayPublish, maySubscribe, type Rules, receives } from '../conformance/permission-model.ts'
import { ResponseGrants } from '../src/connection/grants.ts'
import { Permissions } from '../src/subject/permissions.ts'

const token = fc.constantFrom('a', 'b', 'c')
const literal = fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'))
const pattern = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '*'), { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([tokens, tail]) => (tail ? [...tokens.slice(0, -1), '>'] : tokens).join('.'))
const queue = fc.constantFrom('q', 'q.x', '*', 'q.*', '>')
const entry = fc.oneof(
  pattern,
  fc.tuple(pattern, queue).map(([subject, name]) => `${subject} ${name}`),
)
const lists = (item: fc.Arbitrary<string>) =>
  fc.record({ allow: fc.array(item, { maxLength: 3 }), deny: fc.array(item, { maxLength: 3 }) })
const rules: fc.Arbitrary<Rules> = fc.record({ publish: lists(pattern), subscribe: lists(entry) })
const someQueue = fc.constantFrom('', 'q', 'q.x', 'other')

test('what may be published is what the lists say', () => {
  fc.assert(
    fc.property(rules, literal, (spec, subject) => {
      const permissions = new Permissions({ ...spec, responses: null })
      assert.equal(permissions.mayPublish(subject), mayPublish(spec, subject))
    }),
    { numRuns: 2_000 },
  )
})

test('what may be subscribed, also with wildcards and in queues, is what the lists say', () => {
  fc.assert(
    fc.property(rules, fc.oneof(literal, pattern), someQueue, (spec, subject, name) => {
      const permissions = new Permissions({ ...spec, responses: null })
      assert.equal(
        permissions.maySubscribe(subject, name === '' ? null : name),
        maySubscribe(spec, subject, name),
      )
    }),
    { numRuns: 4_000 },
  )
})

test('a subscription that was accepted gets what is not denied', () => {
  fc.assert(
    fc.property(rules, fc.oneof(literal, pattern), someQueue, literal, (spec, subject, name, message) => {
      const permissions = new Permissions({ ...spec, responses: null })
      const group = name === '' ? null : name
      fc.pre(permissions.maySubscribe(subject, group) && covers(subject, message))
      const filtered = permissions.needsFilter(subject, group)
      assert.equal(
        !filtered || permissions.mayReceive(message, group),
        receives(spec, subject, name, message),
      )
    }),
    { numRuns: 4_000 },
  )
})

test('granted responses are used up one by one, and live as long as they may', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 })
  const grants = new ResponseGrants(2, 50, (subject) => subject === 'static')
  grants.allow('static')
  assert.equal(grants.use('static'), false)
  grants.allow('r')
  assert.deepEqual([grants.use('r'), grants.use('r'), grants.use('r')], [true, true, false])
  grants.allow('r')
  grants.allow('r')
  assert.deepEqual([grants.use('r'), grants.use('r')], [true, false])
  grants.allow('late')
  t.mock.timers.tick(51)
  assert.equal(grants.use('late'), false)
  const endless = new ResponseGrants(-1, -1, () => false)
  endless.allow('r')
  t.mock.timers.tick(1_000_000)
  for (let i = 0; i < 100; i++) assert.equal(endless.use('r'), true)
})
