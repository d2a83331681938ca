// The field tables of every claim, in the order the official library writes them.
import { JET_STREAM_LIMITS } from '../claims.ts'
import { IdentityError } from '../errors.ts'
import type { KeyRole } from '../nkeys.ts'
import { type Field, readShape, type Shape, writeShape } from './json.ts'

const f = (key: string, shape: Shape, more: Omit<Field, 'key' | 'shape'> = {}): Field => ({
  key,
  shape,
  ...more,
})
const strings: Shape = { list: 'string' }
const tail: Field[] = [f('tags', strings), f('type', 'string'), f('version', 'int64')]

const sharingKind: Shape = {
  read: (value, path) => {
    if (value === 'stream' || value === 'service' || value === 'unknown') return value
    throw new IdentityError(
      'badToken',
      `${path}: unknown export type ${JSON.stringify(String(value))}, expected stream or service`,
    )
  },
  write: (value) => value,
}

/** Reads a comma separated string as well as a list, as old tokens have it. */
const networks: Shape = {
  read: (value, path) => {
    if (typeof value !== 'string') return readShape(strings, value, path)
    const items = value
      .toLowerCase()
      .split(',')
      .map((item) => item.trim())
    return items.filter((item) => item !== '')
  },
  write: (value) => value,
}

const sampling: Shape = {
  read: (value, path) => {
    if (value === 'headers') return 0
    return readShape('int64', value, path)
  },
  write: (value) => (value === 0 ? 'headers' : value),
}

const natsLimits = (fill: number): Field[] =>
  ['subs', 'data', 'payload'].map((key) => f(key, 'int64', { fill }))
const jetStream: Field[] = JET_STREAM_LIMITS.map((key) =>
  f(key, key === 'max_bytes_required' ? 'bool' : 'int64'),
)
const permission: Shape = { fields: [f('allow', strings), f('deny', strings)] }
const permissions: Field[] = [
  f('pub', permission, { always: true }),
  f('sub', permission, { always: true }),
  f('resp', {
    fields: [f('max', 'int64', { always: true, fill: 0 }), f('ttl', 'int64', { always: true, fill: 0 })],
  }),
]
const userFields = (fill: number): Field[] => [
  ...permissions,
  f('src', networks),
  f('times', { list: { fields: [f('start', 'string', { fill: '' }), f('end', 'string', { fill: '' })] } }),
  f('times_location', 'string'),
  ...natsLimits(fill),
  f('bearer_token', 'bool'),
  f('proxy_required', 'bool'),
  f('allowed_connection_types', strings),
]

const scope: Field[] = [
  f('kind', 'string', { always: true, fill: '' }),
  f('key', 'string', { always: true, fill: '' }),
  f('role', 'string', { always: true, fill: '' }),
  // Absent limits of a template mean unlimited, other than in a user.
  f('template', { fields: userFields(-1) }, { always: true }),
  f('description', 'string', { always: true, fill: '' }),
]

const signingKeys: Shape = {
  read: (value, path) => {
    if (!Array.isArray(value)) return readShape(strings, value, path)
    const keys: unknown[] = []
    for (const [i, item] of value.entries()) {
      if (typeof item === 'string') keys.push(item)
      else if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
        const read = readShape({ fields: scope }, item, `${path}[${i}]`) as { kind: string }
        if (read.kind !== 'user_scope')
          throw new IdentityError(
            'badToken',
            `${path}[${i}]: unknown signing key scope ${JSON.stringify(read.kind)}`,
          )
        keys.push(read)
      }
    }
    return keys
  },
  write: (value) =>
    (value as (string | { key: string })[])
      .toSorted((a, b) => compare(typeof a === 'string' ? a : a.key, typeof b === 'string' ? b : b.key))
      .map((item) => (typeof item === 'string' ? item : writeShape({ fields: scope }, item))),
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A list of imports or exports, sorted by subject when written. */
const sharing = (fields: Field[]): Shape => ({
  read: (value, path) => readShape({ list: { fields }, nullable: true }, value, path),
  write: (value) =>
    (value as ({ subject?: string } | null)[])
      .toSorted((a, b) => compare(a?.subject ?? '', b?.subject ?? ''))
      .map((item) => writeShape({ fields }, item)),
})

const revocations: Shape = { map: 'int64' }
const info = [f('description', 'string'), f('info_url', 'string')]

const exportFields: Field[] = [
  f('name', 'string'),
  f('subject', 'string'),
  f('type', sharingKind),
  f('token_req', 'bool'),
  f('revocations', revocations),
  f('response_type', 'string'),
  f('response_threshold', 'int64'),
  f('service_latency', {
    fields: [
      f('sampling', sampling, { always: true, fill: 0 }),
      f('results', 'string', { always: true, fill: '' }),
    ],
  }),
  f('account_token_position', 'uint'),
  f('advertise', 'bool'),
  f('allow_trace', 'bool'),
  ...info,
]

const importFields: Field[] = [
  f('name', 'string'),
  f('subject', 'string'),
  f('account', 'string'),
  f('token', 'string'),
  f('to', 'string'),
  f('local_subject', 'string'),
  f('type', sharingKind),
  f('share', 'bool'),
  f('allow_trace', 'bool'),
]

const limits: Field[] = [
  ...natsLimits(0),
  f('imports', 'int64', { fill: 0 }),
  f('exports', 'int64', { fill: 0 }),
  f('wildcards', 'bool', { fill: false }),
  f('disallow_bearer', 'bool'),
  f('conn', 'int64', { fill: 0 }),
  f('leaf', 'int64', { fill: 0 }),
  ...jetStream,
  f('tiered_limits', { map: { fields: jetStream } }),
]

/** Top-level members in the order they are written; `nats` is added by the encoder. */
export const BASE_FIELDS: readonly Field[] = [
  f('aud', 'string'),
  f('exp', 'int64'),
  f('jti', 'string', { fill: '' }),
  f('iat', 'int64', { fill: 0 }),
  f('iss', 'string', { fill: '' }),
  f('name', 'string'),
  f('nbf', 'int64'),
  f('sub', 'string', { fill: '' }),
]

export interface Kind {
  readonly fields: readonly Field[]
  /** Roles that may sign it, in the order the official library names them. Empty: any. */
  readonly issuers: readonly KeyRole[]
  /** Role its subject must have when encoding; null: any. */
  readonly subject: KeyRole | null
}

export const KINDS: Readonly<Record<string, Kind>> = {
  operator: {
    issuers: ['operator'],
    subject: 'operator',
    fields: [
      f('signing_keys', strings),
      f('account_server_url', 'string'),
      f('operator_service_urls', strings),
      f('system_account', 'string'),
      f('assert_server_version', 'string'),
      f('strict_signing_key_usage', 'bool'),
      ...tail,
    ],
  },
  account: {
    issuers: ['account', 'operator'],
    subject: 'account',
    fields: [
      f('imports', sharing(importFields)),
      f('exports', sharing(exportFields)),
      f('limits', { fields: limits }, { always: true }),
      f('signing_keys', signingKeys),
      f('revocations', revocations),
      f('default_permissions', { fields: permissions }, { always: true }),
      f('mappings', {
        map: {
          list: {
            fields: [
              f('subject', 'string', { always: true, fill: '' }),
              f('weight', 'uint'),
              f('cluster', 'string'),
            ],
          },
        },
      }),
      f(
        'authorization',
        { fields: [f('auth_users', strings), f('allowed_accounts', strings), f('xkey', 'string')] },
        { always: true },
      ),
      f('trace', { fields: [f('dest', 'string'), f('sampling', 'int64')] }),
      f('cluster_traffic', 'string'),
      ...info,
      ...tail,
    ],
  },
  user: {
    issuers: ['account'],
    subject: 'user',
    fields: [...userFields(0), f('issuer_account', 'string'), ...tail],
  },
  activation: {
    issuers: ['account', 'operator'],
    subject: 'account',
    fields: [f('subject', 'string'), f('kind', sharingKind), f('issuer_account', 'string'), ...tail],
  },
  authorization_request: {
    issuers: ['server'],
    subject: null,
    fields: [
      f(
        'server_id',
        {
          fields: [
            ...['name', 'host', 'id'].map((key) => f(key, 'string', { always: true, fill: '' })),
            f('version', 'string'),
            f('cluster', 'string'),
            f('tags', strings),
            f('xkey', 'string'),
          ],
        },
        { always: true },
      ),
      f('user_nkey', 'string', { always: true, fill: '' }),
      f(
        'client_info',
        {
          fields: [
            f('host', 'string'),
            f('id', 'uint'),
            f('user', 'string'),
            f('name', 'string'),
            f('tags', strings),
            f('name_tag', 'string'),
            f('kind', 'string'),
            f('type', 'string'),
            f('mqtt_id', 'string'),
            f('nonce', 'string'),
          ],
        },
        { always: true },
      ),
      f(
        'connect_opts',
        {
          fields: [
            ...['jwt', 'nkey', 'sig', 'auth_token', 'user', 'pass', 'name', 'lang', 'version'].map((key) =>
              f(key, 'string'),
            ),
            f('protocol', 'int64', { always: true, fill: 0 }),
          ],
        },
        { always: true },
      ),
      f('client_tls', {
        fields: [
          f('version', 'string'),
          f('cipher', 'string'),
          f('certs', strings),
          f('verified_chains', { list: strings }),
        ],
      }),
      f('request_nonce', 'string'),
      ...tail,
    ],
  },
  authorization_response: {
    issuers: ['account'],
    subject: 'user',
    fields: [f('jwt', 'string'), f('error', 'string'), f('issuer_account', 'string'), ...tail],
  },
}
