// What makes claims about sharing valid, and what a push of invalid ones is answered with.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  type AccountClaims,
  createKeyPair,
  type Export,
  encode,
  type Import,
  newAccountClaims,
  newActivationClaims,
} from '@ngs/identity/node'
import { inEveryWorld } from './world.ts'

const exporter = createKeyPair('account')
const importer = createKeyPair('account')
const E = exporter.publicKey

const stream = (subject: string, more: Partial<Export> = {}): Export => ({
  name: 'e',
  type: 'stream',
  subject,
  ...more,
})
const service = (subject: string, more: Partial<Export> = {}): Export => ({
  name: 'e',
  type: 'service',
  subject,
  ...more,
})
const from = (type: 'stream' | 'service', subject: string, more: Partial<Import> = {}): Import => ({
  name: 'i',
  type,
  subject,
  account: E,
  ...more,
})
const token = (subject: string, kind: 'stream' | 'service', target = importer.publicKey): string => {
  const claims = newActivationClaims(target, 'a')
  claims.nats.subject = subject
  claims.nats.kind = kind
  return encode(claims, exporter)
}

/** Several texts may come in any order: those of exports, and of one import. */
const cases: [what: string, change: Partial<AccountClaims['nats']>, texts: string[]][] = [
  ['exports that overlap without containing one another', { exports: [stream('a.*'), stream('*.b')] }, []],
  ['a stream and a service of one subject', { exports: [stream('a'), service('a')] }, []],
  [
    'each export that contains others, once',
    { exports: [stream('a.>'), stream('a.b'), stream('a.c'), stream('a.*')] },
    [
      'stream export subject "a.*" already exports "a.>"',
      'stream export subject "a.>" already exports "a.*"',
    ],
  ],
  [
    'one subject exported twice',
    { exports: [service('a'), service('a')] },
    ['service export subject "a" already exports "a"'],
  ],
  [
    '`>` where a wider export has `*`',
    { exports: [stream('a.>'), stream('*.*')] },
    ['stream export subject "*.*" already exports "a.>"'],
  ],
  [
    'service imports that overlap without containing one another',
    { imports: [from('service', 'a.*'), from('service', '*.b')] },
    [],
  ],
  [
    'service imports of which one contains the other',
    { imports: [from('service', 'a.b'), from('service', 'x.*', { local_subject: 'a.$1' })] },
    [`overlapping subject namespace for "a.*" and "a.b" in same account "${E}"`],
  ],
  [
    'service imports of one local subject',
    {
      imports: [from('service', 'a', { local_subject: 'l' }), from('service', 'b', { local_subject: 'l' })],
    },
    [
      `overlapping subject namespace for "l" and "l" in same account "${E}"`,
      `overlapping subject namespace for "l" in account "${E}"`,
    ],
  ],
  [
    'service imports with the old field, by what that says',
    { imports: [from('service', 'a', { to: 'x' }), from('service', 'b', { to: 'x' })] },
    [
      `overlapping subject namespace for "x" and "x" in same account "${E}"`,
      `overlapping subject namespace for "x" in account "${E}"`,
    ],
  ],
  [
    'service imports with the old field and one subject',
    { imports: [from('service', 'a', { to: 'x' }), from('service', 'a', { to: 'y' })] },
    [],
  ],
  [
    'a local subject with a reference too many',
    { imports: [from('stream', 'a.*', { local_subject: 'l.$2' })] },
    [
      'Reference $2 in "l.$2" reference * in "a.*" that do not exist',
      'subject does not contain enough * or reference wildcards $[0-9]',
    ],
  ],
  [
    'a local subject that ends in `>` where the subject does not',
    { imports: [from('stream', 'a.b', { local_subject: 'l.>' })] },
    ['both, renaming subject and subject, need to end or not end in >'],
  ],
  [
    'a local subject with a function, which is no reference here',
    { imports: [from('stream', 'a.*', { local_subject: 'l.{{wildcard(1)}}' })] },
    ['subject does not contain enough * or reference wildcards $[0-9]'],
  ],
  [
    'a local subject with white space',
    { imports: [from('stream', 'a', { local_subject: 'l x' })] },
    ['subject "l x" cannot have spaces', 'subject "l x" cannot have spaces'],
  ],
  [
    'an activation for somebody else',
    { imports: [from('stream', 'a', { token: token('a', 'stream', E) })] },
    ['activation token doesn\'t match account it is being included in, "a"'],
  ],
  [
    'an activation for another subject of another kind',
    { imports: [from('stream', 'a', { token: token('b', 'service') })] },
    [
      'mismatch between token import type service and type of import stream',
      'activation token import subject "b" doesn\'t match import "a"',
    ],
  ],
  [
    'an activation for `*` where the import has `>`',
    { imports: [from('stream', 'a.>', { token: token('a.*', 'stream') })] },
    [],
  ],
  [
    'an info URL without a host',
    { exports: [stream('a', { info_url: 'ftp:/x' })] },
    ['error parsing info url: no hostname or scheme'],
  ],
  [
    'a trace destination with a wildcard, and samples of more than all',
    { trace: { dest: 't.*', sampling: 101n } },
    [
      'the account Trace.Destination subject "t.*" is not a valid publish subject',
      "the account Trace.Sampling value '101' is not valid, should be in the range [1..100]",
    ],
  ],
  [
    'a subject with a queue where queues are not allowed',
    { default_permissions: { pub: { allow: ['a q'] }, sub: {} } },
    ['Permission Subject "a q" is not allowed to contain queue'],
  ],
  ['a signing key that is none', { signing_keys: ['x'] }, ['"x" is not a valid account signing key']],
]

inEveryWorld('validity of claims about sharing', {}, (world) => {
  for (const [what, change, texts] of cases) {
    it(`${what} ${texts.length === 0 ? 'is' : 'is not'} valid`, async () => {
      const claims = newAccountClaims(importer.publicKey, 'A')
      Object.assign(claims.nats, structuredClone(change))
      const { data, error } = await world.push(claims)
      if (texts.length === 0) assert.equal(data?.message, 'jwt updated', error?.description)
      else {
        const prefix = 'jwt validation failed - validation errors: ['
        const said = error?.description ?? ''
        assert.ok(said.startsWith(prefix) && said.endsWith(']'), said)
        let rest = ` ${said.slice(prefix.length, -1)} `
        for (const text of [...texts].sort((a, b) => b.length - a.length)) {
          assert.ok(rest.includes(` ${text} `), `${JSON.stringify(text)} is missing in ${said}`)
          rest = rest.replace(` ${text} `, '  ')
        }
        assert.equal(rest.trim(), '', said)
      }
    })
  }

  for (const [name, limits] of [
    ['imports', { imports: 1n }],
    ['exports', { exports: 1n }],
  ] as const) {
    it(`more ${name} than the limits allow are told, imports twice`, async () => {
      const claims = newAccountClaims(importer.publicKey, 'A')
      claims.nats.imports = [from('stream', 'a'), from('stream', 'b')]
      claims.nats.exports = [stream('a'), stream('b.*')]
      Object.assign(claims.nats.limits, limits, { wildcards: false })
      const text = `the account contains more ${name} than allowed by the operator`
      const expected =
        name === 'imports'
          ? [text, text]
          : [text, 'the account contains wildcard exports that are not allowed by the operator']
      const { error } = await world.push(claims)
      assert.equal(error?.description, `jwt validation failed - validation errors: [${expected.join(' ')}]`)
    })
  }
})
