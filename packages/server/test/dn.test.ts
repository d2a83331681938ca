// Distinguished names: as they are written in configuration files, and as they stand in certificates.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { domainComponents, parseDn, printSubject, sameDn, sameParts } from '../src/auth/dn.ts'

test('a written name is taken apart as RFC 4514 has it', () => {
  const rows: [string, string[][] | null][] = [
    ['', []],
    ['CN=alice', [['CN=alice']]],
    ['cn=alice , O= Acme ', [['CN=alice'], ['O=Acme']]],
    ['CN=a+OU=b,O=c', [['CN=a', 'OU=b'], ['O=c']]],
    ['O=Acme\\, Inc.', [['O=Acme, Inc.']]],
    ['O=a\\2Cb', [['O=a,b']]],
    ['O=\\C3\\BC', [['O=ü']]],
    ['O=\\ a\\ ', [['O= a ']]],
    ['O=ü', [['O=ü']]],
    ['O=#04', null],
    ['O=a\\', null],
    ['O=a\\zz', null],
    ['alice', null],
    ['CN=a,b', null],
    ['=a', null],
    [',CN=a', null],
  ]
  for (const [written, expected] of rows) assert.deepEqual(parseDn(written), expected, written)
})

const value = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', ',', '+', '"', '\\', '#', '<', 'ü'),
  minLength: 1,
})

test('a printed subject reads back as the same name', () => {
  const oids: Record<string, string> = { CN: '2.5.4.3', OU: '2.5.4.11', O: '2.5.4.10', C: '2.5.4.6' }
  fc.assert(
    fc.property(fc.record({ C: value, O: value, OU: value, CN: value }), (parts) => {
      const subject = Object.entries(parts).map(([name, text]) => [{ type: oids[name]!, value: text }])
      const dn = parseDn(printSubject(subject))
      // The number sign and blanks are escaped where they stand first or last alone.
      fc.pre(!Object.values(parts).some((text) => /^\s*$|^ {2}| {2}$/.test(text)))
      assert.deepEqual(
        dn,
        ['CN', 'OU', 'O', 'C'].map((name) => [`${name}=${parts[name as 'CN']}`]),
      )
    }),
  )
})

test('names are the same in order, or in any order', () => {
  const [a, b, c] = ['CN=x,O=y', 'O=y,CN=x', 'O=y,CN=x,C=z'].map((text) => parseDn(text)!)
  assert.deepEqual(
    [sameDn(a!, a!), sameDn(a!, b!), sameParts(a!, b!), sameParts(a!, c!)],
    [true, false, true, false],
  )
  const twice = parseDn('OU=a,OU=a,CN=x')!
  assert.equal(sameParts(twice, parseDn('OU=a,CN=x,CN=x')!), false)
  const dc = '0.9.2342.19200300.100.1.25'
  assert.equal(
    domainComponents([[{ type: dc, value: 'com' }], [{ type: dc, value: 'acme' }]]),
    'DC=com,DC=acme',
  )
})
