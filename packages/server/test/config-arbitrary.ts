// Random configuration files, valid and nearly so: every option with values of every kind, in every notation of the language.
import fc from 'fast-check'
import { OPTION_ROWS, type OptionRow } from '../src/option-table.ts'

type Text = fc.Arbitrary<string>
const pick = (...texts: string[]): Text => fc.constantFrom(...texts)
/** Mostly the first, sometimes the second. */
const mostly = (usual: Text, odd: Text, weight = 12): Text =>
  fc.oneof({ arbitrary: usual, weight }, { arbitrary: odd, weight: 1 })

// Values -----------------------------------------------------------------------------------------------------------------------

const word = pick('a', 'b', 'foo', 'ü', 'x-y', 'a_1', 'A')
const quoted = pick('"a"', "'a'", '"a b"', '"a\\tb"', '"\\x41"', "'a\\q'", '"multi\nline"', '""')
const block = pick('(\n a\n b (c)\n)')
const bcrypt = pick(
  '$2a$11$ooo8z3VmXbLxC8cvmMVkEeQ2w1nKaPIXVyrkZVEbDFbQ6NXDqpHtG',
  '"$2b$11$abc"',
  "'$2y$10$abc'",
)
const variable = pick('$number', '$word', '$yes', '$NGS_FUZZ_NUMBER', '$NGS_FUZZ_WORD', '$list')
const broken = pick('$NOPE', '"a\\q"', '10-foo', '1.x', '.5', '"open', '2006-13-02T00:00:00Z')
const odd = fc.oneof(
  word,
  quoted,
  block,
  bcrypt,
  variable,
  broken,
  pick('5', '1.5', 'true', '[]', '[a, b]', '{}', '{a: b}', '2006-01-02T15:04:05Z', '[{a: 1}]'),
)

const text = mostly(fc.oneof(word, quoted, bcrypt, block, pick('$word')), odd)
const integer = mostly(
  fc.oneof(
    pick('0', '1', '5', '-1', '255', '256', '007', '2147483647', '2147483648', '9223372036854775807'),
    pick(
      '1k',
      '2KB',
      '3kib',
      '4mb',
      '1G',
      '2gib',
      '1t',
      '9223372036854775808',
      '$number',
      '$NGS_FUZZ_NUMBER',
    ),
  ),
  odd,
)
const boolean = mostly(pick('true', 'false', 'yes', 'NO', 'On', 'off', '$yes'), odd)
const duration = mostly(
  pick('"2s"', '100ms', "'1m30s'", '1h', '"40s"', '"0"', '"-1s"', '"abc"', '5', '2m', '1m30s', '"1.5s"'),
  odd,
)
const subject = mostly(
  pick('foo', 'foo.bar', '"foo.*"', '">"', '"foo.>"', '"$SYS.x"', "'a.b'", '"*.b"', '_INBOX.x'),
  pick('"foo..bar"', '".a"', '"a b"', '"a.>.b"', '5', '""', '[]'),
)

// Layout -----------------------------------------------------------------------------------------------------------------------

const separator = pick(': ', ' = ', ' ', '=', ':', '  =\t')
const ending = pick('\n', '\n', '\n', ' # note\n', ' // note\n', ', ', ';\n', '\n\n')
const inner = pick(', ', '\n', ' # note\n', ',\n', '; ')

const cased = (name: string): Text =>
  fc.oneof(
    { arbitrary: fc.constant(name), weight: 6 },
    { arbitrary: pick(name.toUpperCase(), `"${name}"`, `'${name}'`), weight: 1 },
  )

const entry = (key: Text, value: Text): Text =>
  fc.tuple(key, separator, value).map(([name, between, content]) => {
    // Without a blank the brace would belong to the key.
    const tight = between.trim() !== '' || /^[{[("']/.test(content)
    return `${name}${tight ? between : ' '}${content}`
  })

/** A map with some of these entries, each at most once, and now and then one that nobody knows. */
const map = (fields: Readonly<Record<string, Text>>, strange: Text = pick('bogus')): Text =>
  fc
    .tuple(
      fc
        .subarray(Object.keys(fields), { minLength: 0 })
        .chain((keys) =>
          keys.length === 0
            ? fc.constant<string[]>([])
            : fc.tuple(...keys.map((key) => entry(cased(key), fields[key]!))),
        ),
      fc.option(entry(strange, odd), { freq: 25 }),
      inner,
    )
    .map(([entries, unknown, between]) => {
      const all = unknown === null ? entries : [...entries, unknown]
      return `{ ${all.join(between)} }`
    })

const list = (item: Text, maxLength = 3): Text =>
  fc.tuple(fc.array(item, { maxLength }), inner).map(([items, between]) => {
    const mark = between === '; ' ? ', ' : between
    return `[ ${items.join(mark)} ]`
  })

// Blocks -----------------------------------------------------------------------------------------------------------------------

const side = fc.oneof(subject, list(subject), map({ allow: list(subject), deny: subject }))
const permissions = mostly(
  map({
    publish: side,
    subscribe: side,
    allow_responses: fc.oneof(boolean, map({ max: integer, expires: duration })),
  }),
  odd,
)
const NKEY = 'UBUDEFNC7C5E7NFB5UHKPGEJ7HOJHHB3VQ5QXMGEK52R5CDVOC6IIVWA'
const types = mostly(list(pick('STANDARD', 'websocket', 'MQTT', 'LEAFNODE'), 2), odd)
const user = mostly(
  fc.oneof(
    map({ user: word, password: text, permissions, allowed_connection_types: types }),
    map({ nkey: pick(NKEY, 'UABC', '5'), permissions }),
  ),
  odd,
)
const callout = mostly(
  map({
    issuer: pick('AAGG', 'AAAB2O4YIKYBPBX4WZNTRL5QLCVPDXRVVKOYCHUYHIULYAAEGMEQGNLM'),
    auth_users: list(word, 2),
    account: pick('A', '"$G"'),
    xkey: pick('XX', '5'),
    allowed_accounts: list(pick('A', 'B')),
  }),
  odd,
)
const authorization = fc.oneof(
  map({ auth_callout: callout, users: list(user, 1) }),
  map({ users: list(user), timeout: fc.oneof(integer, duration), default_permissions: permissions }),
  map({ user: text, password: text, timeout: duration }),
  map({ token: text }),
  map({ user: word, password: word, token: word, users: list(user, 1) }),
)

const stream = map({ account: pick('A', 'B', 'NOPE'), subject })
const exported = fc.oneof(
  map({ stream: subject, accounts: list(pick('A', 'B', 'NOPE')) }),
  map({ service: subject, response_type: pick('single', 'stream', 'Chunked', 'bogus'), threshold: duration }),
  map({ stream: subject, threshold: duration, account_token_position: integer }),
)
const imported = fc.oneof(
  map({ stream, prefix: subject }),
  map({ stream, to: subject }),
  map({ service: stream, to: subject, share: boolean }),
)
/** The official server takes a destination that is empty, and stops when a message comes. */
const mapped = pick('bar', 'x.y', '"x.$1"', '"x.{{wildcard(1)}}"', '"x.{{bogus(1)}}"', '">"', '"a..b"', '5')
const destination = fc.oneof(
  mapped,
  fc
    .tuple(
      mapped,
      fc.option(entry(pick('weight'), fc.oneof(integer, pick('"50%"', '50%', '"101%"', 'x%')))),
      fc.option(entry(pick('cluster', 'bogus'), word)),
    )
    .map(
      ([to, ...more]) => `{ ${[`destination: ${to}`, ...more.filter((part) => part !== null)].join(', ')} }`,
    ),
)
const mappings = mostly(
  fc
    .array(
      fc.tuple(pick('foo', '"foo.*"', '"a.>"', '"foo..b"', 'bar'), fc.oneof(destination, list(destination))),
      {
        maxLength: 3,
      },
    )
    .map((all) => `{ ${all.map(([from, to]) => `${from}: ${to}`).join('\n')} }`),
  odd,
)
const limits = map({
  max_connections: integer,
  max_subs: integer,
  max_payload: integer,
  max_leafnodes: integer,
})
const account = mostly(
  map({
    users: list(user, 2),
    exports: list(exported, 2),
    imports: list(imported, 2),
    limits,
    default_permissions: permissions,
    mappings,
    msg_trace: fc.oneof(subject, map({ dest: subject, sampling: fc.oneof(integer, pick('"50%"', 'x')) })),
  }),
  odd,
)
const accounts = fc.oneof(
  map({ A: account, B: account }, pick('C', '"$G"')),
  list(pick('A', 'B', 'C', '"$G"', '5')),
)

const address = pick(
  '4222',
  '-1',
  '"127.0.0.1:4222"',
  '127.0.0.1:-1',
  '"[::1]:4222"',
  'host:',
  'a:b',
  '"x:1:2"',
  'true',
)
const websocket = mostly(
  map({
    listen: address,
    port: integer,
    no_tls: boolean,
    same_origin: boolean,
    allowed_origins: fc.oneof(text, list(text)),
    compression: boolean,
    handshake_timeout: duration,
    jwt_cookie: text,
    user_cookie: text,
    headers: mostly(map({ 'X-A': text, b: text }, pick('c')), odd),
    ping_interval: duration,
    authorization: mostly(map({ user: text, password: text, token: text, timeout: duration }), odd),
    no_auth_user: text,
    advertise: text,
  }),
  odd,
)

const BLOCKS: Readonly<Record<string, Text>> = {
  listen: address,
  http: address,
  authorization,
  accounts,
  websocket,
  server_tags: fc.oneof(text, list(text)),
  server_metadata: mostly(map({ a: text, B: text }, pick('c')), odd),
  feature_flags: mostly(map({ js_ack_fc_v2: boolean, other: boolean }, pick('c')), odd),
  resolver: pick('MEMORY', 'mem', 'URL("http://127.0.0.1:1/x/")', '{ type: MEM }', 'bogus', '5'),
  mappings,
  proxies: mostly(map({ trusted: list(map({ key: text })) }), odd),
  trusted_keys: fc.oneof(text, list(text)),
  resolver_pinned_accounts: fc.oneof(text, list(text)),
  resolver_preload: pick('{}', '5', '{ A: 5 }', '{ A: nojwt }'),
  jetstream: pick('false', 'disabled'),
  bogus: odd,
}

const plain = (row: OptionRow): Text => {
  switch (row.type) {
    case 'boolean':
      return boolean
    case 'string':
      return text
    case 'duration':
    case 'durationText':
      return duration
    default:
      return integer
  }
}

/** Ours alone, so the official server does not know them. */
const OURS = ['metrics', 'busy_poll']
const FIELDS = new Map<string, Text>([
  ...OPTION_ROWS.filter((row) => !OURS.includes(row.key)).flatMap((row) =>
    [row.key, ...(row.aliases ?? [])].map((key): [string, Text] => [key, plain(row)]),
  ),
  ...Object.entries(BLOCKS),
])

/** The official server looks for this one before all others, and only as it is written here. */
const AS_WRITTEN = ['system_account', 'system']

const line = fc
  .constantFrom(...FIELDS.keys())
  .chain((key) =>
    fc
      .tuple(entry(AS_WRITTEN.includes(key) ? fc.constant(key) : cased(key), FIELDS.get(key)!), ending)
      .map((parts) => parts.join('')),
  )
const included = pick(
  'include "more.conf"\n',
  'include more.conf\n',
  "include 'nothing.conf'\n",
  'INCLUDE wrong.conf\n',
)
const remark = pick('# a remark\n', '// another\n', '\n', '\t\n')

/** Variables that values refer to come first; `$list` uses them all, so that none is an unknown field. */
const VARIABLES =
  'number = 12\nword = hello\nyes = true\nlist = [$number, $word, $yes]\nserver_metadata { list: "x" }\n'

export const configuration: Text = fc
  .tuple(
    fc.boolean(),
    fc.array(mostly(mostly(line, remark, 8), included, 20), { minLength: 1, maxLength: 6 }),
    pick('plain', 'plain', 'wrapped'),
  )
  .map(([variables, lines, layout]) => {
    const content = `${variables ? `${VARIABLES}used = $list\n` : ''}${lines.join('')}`
    return layout === 'wrapped' ? `{\n${content}}\n` : content
  })

/** Files that configurations include. */
export const INCLUDED: Readonly<Record<string, string>> = {
  'more.conf': 'max_payload: 64kb\nping_max: 3\n',
  'wrong.conf': '\n\nbogus: 1\nport: x\n',
}
/** Variables of the environment that configurations use. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  NGS_FUZZ_NUMBER: '7k',
  NGS_FUZZ_WORD: '"from env"',
}
