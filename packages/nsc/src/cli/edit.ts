import { permissionFlags, permissionRemovalFlags } from '../claims/permissions.ts'
import { USER_LIMIT_FLAGS } from '../claims/user-limits.ts'
import { ACCOUNT_FLAG, nameFlag, OPTIONAL_NAME, TAG_FLAGS, TIME_FLAGS } from './common-flags.ts'
import type { FlagSpec, GroupSpec } from './spec.ts'

const SIGNING_KEY_FLAGS: readonly FlagSpec[] = [
  { name: 'sk', type: 'list', text: "add signing keys: public key, seed, file, or 'generate' for a new one" },
  { name: 'rm-sk', type: 'list', text: 'remove signing keys, by public key' },
]

function limit(name: string, text: string): FlagSpec {
  return { name, type: 'number', text: `${text} (-1 is unlimited)`, fallback: -1 }
}

const JETSTREAM_FLAGS: readonly FlagSpec[] = [
  { name: 'js-tier', type: 'integer', text: 'JetStream: replication tier that the limits are for (0: all)' },
  {
    name: 'rm-js-tier',
    type: 'integer',
    text: 'JetStream: remove the limits of a tier (0: global)',
    fallback: -1,
  },
  {
    name: 'js-mem-storage',
    type: 'number',
    text: 'JetStream: memory storage in bytes, -1 unlimited, 0 disabled',
  },
  {
    name: 'js-disk-storage',
    type: 'number',
    text: 'JetStream: disk storage in bytes, -1 unlimited, 0 disabled',
  },
  limit('js-streams', 'JetStream: streams'),
  limit('js-consumer', 'JetStream: consumers'),
  limit('js-max-mem-stream', 'JetStream: bytes of one memory stream'),
  limit('js-max-disk-stream', 'JetStream: bytes of one disk stream'),
  limit('js-max-ack-pending', 'JetStream: pending acknowledgements of one consumer'),
  {
    name: 'js-max-bytes-required',
    type: 'switch',
    text: 'JetStream: streams must say how many bytes they may hold',
  },
  {
    name: 'js-enable',
    type: 'integer',
    text: 'JetStream: enable a tier (0: global) without limits',
    fallback: -1,
  },
  { name: 'js-disable', type: 'switch', text: 'JetStream: remove all limits, which turns it off' },
  { name: 'mem-storage', type: 'number', text: '', deprecated: 'it got renamed to --js-mem-storage' },
  { name: 'disk-storage', type: 'number', text: '', deprecated: 'it got renamed to --js-disk-storage' },
  { name: 'streams', type: 'number', text: '', fallback: -1, deprecated: 'it got renamed to --js-streams' },
  { name: 'consumer', type: 'number', text: '', fallback: -1, deprecated: 'it got renamed to --js-consumer' },
]

export const EDIT: GroupSpec = {
  name: 'edit',
  summary: 'Edit operators, accounts, users, exports and scoped signing keys',
  commands: [
    {
      name: 'account',
      summary: 'Edit an account',
      args: OPTIONAL_NAME,
      flags: [
        nameFlag('account to edit (the current one unless given)'),
        ...SIGNING_KEY_FLAGS,
        ...TAG_FLAGS,
        { name: 'description', type: 'text', text: 'description of the account' },
        { name: 'info-url', type: 'text', text: 'link to more about the account' },
        limit('conns', 'active connections'),
        { name: 'leaf-conns', type: 'number', text: 'active leaf node connections (-1 is unlimited)' },
        limit('data', 'data in bytes'),
        limit('exports', 'number of exports'),
        limit('imports', 'number of imports'),
        limit('payload', 'message payload in bytes'),
        limit('subscriptions', 'subscriptions'),
        { name: 'wildcard-exports', type: 'switch', text: 'exports may hold wildcards', fallback: true },
        { name: 'disallow-bearer', type: 'switch', text: 'refuse users with bearer tokens' },
        ...TIME_FLAGS,
        ...permissionFlags('default permissions'),
        ...permissionRemovalFlags('default permissions'),
        ...JETSTREAM_FLAGS,
        {
          name: 'trace-context-subject',
          type: 'text',
          text: "subject for messages with a W3C trace context, '' turns it off",
          fallback: 'trace.messages',
        },
        { name: 'trace-context-sampling', type: 'number', text: 'percentage of them that is traced, 1-100' },
        {
          name: 'host-cluster-traffic',
          type: 'switch',
          text: 'route JetStream cluster traffic via the account',
          hidden: true,
        },
      ],
      examples: [
        'nsc edit account --name Weather --conns 100 --payload 1mb',
        'nsc edit account Weather --sk generate',
        'nsc edit account Weather --js-disk-storage 10G --js-streams 20',
        'nsc edit account Weather --description "Forecasts for Canada"',
      ],
      quiet: true,
      load: () => import('../commands/edit-account.ts'),
    },
    {
      name: 'authcallout',
      summary: 'Let a service of the account decide who may connect',
      args: OPTIONAL_NAME,
      flags: [
        {
          name: 'auth-user',
          type: 'list',
          text: 'add users that the service itself connects as: their keys; the service is not asked about them',
        },
        { name: 'rm-auth-user', type: 'list', text: 'remove such users' },
        {
          name: 'allowed-account',
          type: 'list',
          text: "add accounts that the service may place users in: their keys, or '*' for all",
        },
        { name: 'rm-allowed-account', type: 'list', text: 'remove such accounts' },
        {
          name: 'curve',
          short: 'x',
          type: 'text',
          text: "encrypt requests to the service for this curve key: public key, seed, file, or 'generate'",
        },
        { name: 'rm-curve', type: 'switch', text: 'stop encrypting' },
        { name: 'disable', type: 'switch', text: 'remove the whole authorization callout' },
        ACCOUNT_FLAG,
      ],
      examples: [
        'nsc edit authcallout --account AUTH --auth-user UB... --allowed-account AB... --curve generate',
        "nsc edit authcallout AUTH --allowed-account '*'",
        'nsc edit authcallout AUTH --disable',
      ],
      quiet: true,
      load: () => import('../commands/edit-authcallout.ts'),
    },
    {
      name: 'export',
      summary: 'Edit an export',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'subject',
          short: 's',
          type: 'text',
          text: 'subject of the export to edit (not needed if there is one)',
        },
        nameFlag('new name'),
        { name: 'service', short: 'r', type: 'switch', text: 'make it a service' },
        { name: 'private', short: 'p', type: 'switch', text: 'make importers need an activation token' },
        { name: 'latency', type: 'text', text: 'subject for latency measurements (services)' },
        { name: 'sampling', type: 'text', text: 'share of requests to measure: 1-100, or header (services)' },
        { name: 'rm-latency-sampling', type: 'switch', text: 'stop measuring latency' },
        {
          name: 'response-type',
          type: 'text',
          text: 'replies per request: Singleton, Stream or Chunked (services)',
        },
        { name: 'response-threshold', type: 'duration', text: 'longest time between replies (services)' },
        { name: 'description', type: 'text', text: 'description of the export' },
        { name: 'info-url', type: 'text', text: 'link to more about the export' },
        { name: 'allow-trace', type: 'switch', text: 'let messages be traced into this account (services)' },
        ACCOUNT_FLAG,
      ],
      examples: [
        'nsc edit export --subject "ip.geo" --response-type Stream',
        'nsc edit export --subject "ip.geo" --latency "latency.ip" --sampling 20',
        'nsc edit export --subject "weather.CA" --description "Hourly forecasts" --info-url https://example.com/wx',
      ],
      load: () => import('../commands/edit-export.ts'),
      quiet: true,
    },
    {
      name: 'operator',
      summary: 'Edit the operator',
      args: { usage: '', max: 0 },
      flags: [
        ...SIGNING_KEY_FLAGS,
        ...TAG_FLAGS,
        {
          name: 'account-jwt-server-url',
          short: 'u',
          type: 'text',
          text: 'where accounts are pushed to: http(s), nats, tls, ws or wss URL',
        },
        { name: 'rm-account-jwt-server-url', type: 'switch', text: 'clear that URL' },
        { name: 'system-account', type: 'text', text: 'system account, by name or public key' },
        {
          name: 'service-url',
          short: 'n',
          type: 'list',
          text: 'add URLs that clients connect to: nats, tls, ws or wss',
        },
        { name: 'rm-service-url', type: 'list', text: 'remove such URLs' },
        {
          name: 'require-signing-keys',
          type: 'switch',
          text: 'accept only accounts and users issued by signing keys',
        },
        ...TIME_FLAGS,
      ],
      examples: [
        'nsc edit operator --service-url nats://example.com:4222',
        'nsc edit operator --account-jwt-server-url nats://example.com:4222',
        'nsc edit operator --sk generate',
        'nsc edit operator --system-account SYS',
      ],
      quiet: true,
      load: () => import('../commands/edit-operator.ts'),
    },
    {
      name: 'signing-key',
      summary: 'Bind a signing key of an account to a scope: all its users get the same permissions',
      args: { usage: '[key]', max: 1 },
      flags: [
        {
          name: 'sk',
          type: 'list',
          text: "the key: public key, role, seed, file, or 'generate' for a new one",
        },
        { name: 'role', type: 'text', text: 'name of the scope, to sign with: -K role' },
        { name: 'description', type: 'text', text: 'what the role is for' },
        ACCOUNT_FLAG,
        ...USER_LIMIT_FLAGS,
      ],
      examples: [
        'nsc edit signing-key --sk generate --role reader --allow-sub "news.>" --deny-pub ">"',
        'nsc edit signing-key --role reader --allow-sub "weather.>"',
        'nsc edit signing-key --role tenant --allow-pubsub "tenants.{{name()}}.>"',
      ],
      quiet: true,
      load: () => import('../commands/edit-signing-key.ts'),
    },
    {
      name: 'user',
      summary: 'Edit a user',
      args: OPTIONAL_NAME,
      flags: [
        nameFlag('user to edit (the only one unless given)'),
        ...TAG_FLAGS,
        ACCOUNT_FLAG,
        ...TIME_FLAGS,
        ...USER_LIMIT_FLAGS,
      ],
      examples: [
        'nsc edit user --name bob --allow-pub "orders.>" --rm "drafts.>"',
        'nsc edit user bob --expiry 1y --tag team:blue',
        'nsc edit user bob --conn-type WEBSOCKET --source-network 10.0.0.0/8',
        'nsc edit user bob --time 08:00:00-18:00:00 --locale Europe/Zurich',
        'nsc edit user bob --rm-response-perms',
      ],
      quiet: true,
      load: () => import('../commands/edit-user.ts'),
    },
  ],
}
