// What Node does faster is what the slow way does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBase64Url, encodeBase64Url, IdentityError } from '@ngs/identity/node'
import fc from 'fast-check'
import { parseJson } from '../src/jwt/json.ts'

test('base64url of any bytes comes back, and nothing else is taken for it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes)
    }),
  )
  assert.deepEqual(decodeBase64Url('YW\r\nJj\n'), Uint8Array.from([97, 98, 99]))
  for (const text of ['a', 'abcde', 'ab=', 'ab+/', 'ab c', 'äbcd', 'ab\u0000d'])
    assert.throws(() => decodeBase64Url(text), IdentityError, text)
})

/** Every number with its digits, as the reader of tokens sees it. */
const slowly = (text: string): unknown =>
  JSON.parse(text, ((_key: string, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number'
      ? /^-?\d+$/.test(source ?? '') && Number.isSafeInteger(value)
        ? value
        : { odd: source }
      : value) as (key: string, value: unknown) => unknown)
/** The same of what parseJson() gives: whatever is no safe integer is no number. */
const shown = (value: unknown, text: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item, i) => shown(item, (text as unknown[])[i]))
  if (typeof value === 'bigint') return { odd: `${value}` }
  if (typeof value === 'object' && value !== null) {
    const odd = (text as { odd?: string }).odd
    if (value.constructor !== Object) return { odd }
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, shown(item, (text as Record<string, unknown>)[key])]),
    )
  }
  return value
}
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n }).map(String),
  fc.constantFrom('1.0', '0.5', '-1e5', '1E2', '-0', '9007199254740991', '9007199254740992', '12e-1'),
)
const string = fc.constantFrom('""', '"a:1.5"', '"[12345678901234567890"', '"1e5"', '",7.1"', '"\\":1.5"')
const space = fc.constantFrom('', ' ', '\n', '\t ')
const json: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    string,
    fc
      .array(fc.tuple(space, tie('value')), { maxLength: 3 })
      .map((items) => `[${items.map((i) => i.join('')).join(',')}]`),
    fc
      .array(fc.tuple(space, tie('value')), { maxLength: 3 })
      .map((items) => `{${items.map(([blank, item], i) => `"k${i}"${blank}:${blank}${item}`).join(',')}}`),
  ),
})).value

test('numbers that are no plain integers are seen wherever they stand', () => {
  fc.assert(
    fc.property(json, (text) => {
      const expected = slowly(text)
      assert.deepEqual(shown(parseJson(text, 'it'), expected), expected)
    }),
    { numRuns: 3_000 },
  )
})
