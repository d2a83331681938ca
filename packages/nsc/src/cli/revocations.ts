import { ACCOUNT_FLAG, nameFlag } from './common-flags.ts'
import type { FlagSpec, GroupSpec } from './spec.ts'

const USER_KEY: FlagSpec = {
  name: 'user-public-key',
  short: 'u',
  type: 'text',
  text: "user, by public key or name, '*' for all users",
}

const EXPORT_FLAGS: readonly FlagSpec[] = [
  {
    name: 'subject',
    short: 's',
    type: 'text',
    text: 'subject of the export (not needed if there is one of its kind)',
  },
  { name: 'service', type: 'switch', text: 'the export is a service' },
]

const TARGET: FlagSpec = {
  name: 'target-account',
  short: 't',
  type: 'text',
  text: "importing account, by public key or name, '*' for all",
}

const AT: FlagSpec = {
  name: 'at',
  type: 'timestamp',
  text: 'revoke what was issued up to then: RFC 3339 or unix seconds (now unless given)',
}

export const REVOCATIONS: GroupSpec = {
  name: 'revocations',
  summary: 'Revoke users and activation tokens',
  commands: [
    {
      name: 'add-user',
      aliases: ['add_user'],
      summary: 'Revoke a user: connections close, creds files stop working',
      args: { usage: '', max: 0 },
      flags: [nameFlag('user (the only one unless given)'), USER_KEY, AT, ACCOUNT_FLAG],
      examples: [
        'nsc revocations add-user --name bob',
        "nsc revocations add-user -u '*' --at 2026-01-31T00:00:00Z",
      ],
      quiet: true,
      load: () => import('../commands/revoke-user.ts'),
    },
    {
      name: 'add_activation',
      aliases: ['add-activation'],
      summary: 'Revoke the activation token of an account: it can no longer import',
      args: { usage: '', max: 0 },
      flags: [...EXPORT_FLAGS, TARGET, AT, ACCOUNT_FLAG],
      examples: ['nsc revocations add_activation --subject "orders.>" --target-account AB...'],
      quiet: true,
      load: () => import('../commands/revoke-activation.ts'),
    },
    {
      name: 'delete-user',
      aliases: ['delete_user'],
      summary: 'Take the revocation of a user back',
      args: { usage: '', max: 0 },
      flags: [nameFlag('user (the only one unless given)'), USER_KEY, ACCOUNT_FLAG],
      examples: ['nsc revocations delete-user --name bob'],
      quiet: true,
      load: () => import('../commands/unrevoke-user.ts'),
    },
    {
      name: 'delete_activation',
      aliases: ['delete-activation'],
      summary: 'Take the revocation of an activation token back',
      args: { usage: '', max: 0 },
      flags: [...EXPORT_FLAGS, TARGET, ACCOUNT_FLAG],
      examples: ['nsc revocations delete_activation --subject "orders.>" --target-account AB...'],
      quiet: true,
      load: () => import('../commands/unrevoke-activation.ts'),
    },
    {
      name: 'list-users',
      aliases: ['list_users'],
      summary: 'List the revoked users of an account',
      args: { usage: '', max: 0 },
      flags: [ACCOUNT_FLAG],
      examples: ['nsc revocations list-users'],
      quiet: true,
      load: () => import('../commands/list-revoked-users.ts'),
    },
    {
      name: 'list_activations',
      aliases: ['list-activations'],
      summary: 'List the accounts that an export is revoked for',
      args: { usage: '', max: 0 },
      flags: [...EXPORT_FLAGS, ACCOUNT_FLAG],
      examples: ['nsc revocations list_activations --subject "orders.>"'],
      quiet: true,
      load: () => import('../commands/list-revoked-activations.ts'),
    },
  ],
}
