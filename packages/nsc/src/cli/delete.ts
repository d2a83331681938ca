import { ACCOUNT_FLAG, nameFlag, OPTIONAL_NAME } from './common-flags.ts'
import type { FlagSpec, GroupSpec } from './spec.ts'

const KEY_FLAGS: readonly FlagSpec[] = [
  { name: 'rm-nkey', short: 'D', type: 'switch', text: 'delete the keys too: they cannot be recovered' },
  { name: 'rm-creds', short: 'C', type: 'switch', text: 'delete the creds files too' },
]

export const DELETE: GroupSpec = {
  name: 'delete',
  summary: 'Delete accounts, users, exports, imports and mappings',
  commands: [
    {
      name: 'account',
      summary: 'Delete an account and its users',
      args: OPTIONAL_NAME,
      flags: [
        nameFlag('account to delete'),
        { name: 'revoke', short: 'R', type: 'switch', text: 'revoke its users first', fallback: true },
        ...KEY_FLAGS,
        { name: 'force', short: 'F', type: 'switch', text: 'needed for accounts of a managed operator' },
      ],
      examples: ['nsc delete account --name Old', 'nsc delete account Old --rm-nkey --rm-creds --force'],
      load: () => import('../commands/delete-account.ts'),
    },
    {
      name: 'export',
      summary: 'Stop sharing a subject',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'subject',
          short: 's',
          type: 'text',
          text: 'subject of the export (not needed if there is one)',
        },
        ACCOUNT_FLAG,
      ],
      examples: ['nsc delete export --subject "weather.CA"'],
      quiet: true,
      load: () => import('../commands/delete-export.ts'),
    },
    {
      name: 'import',
      summary: 'Stop importing a subject',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'subject',
          short: 's',
          type: 'text',
          text: 'remote subject of the import (not needed if there is one)',
        },
        { name: 'src-account', type: 'text', text: 'exporting account, if several export that subject' },
        ACCOUNT_FLAG,
      ],
      examples: [
        'nsc delete import --subject "weather.CA"',
        'nsc delete import --subject "time" --src-account AB...',
      ],
      quiet: true,
      load: () => import('../commands/delete-import.ts'),
    },
    {
      name: 'mapping',
      summary: 'Delete a subject mapping, or all of a subject',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'from', short: 'f', type: 'text', text: 'subject that is published to' },
        {
          name: 'to',
          short: 't',
          type: 'text',
          text: 'delete the mapping to this subject (all unless given)',
        },
        { name: 'cluster', type: 'text', text: 'delete the mapping of this cluster' },
        ACCOUNT_FLAG,
      ],
      examples: ['nsc delete mapping --from "pay"', 'nsc delete mapping --from "pay" --to "pay.v1"'],
      quiet: true,
      load: () => import('../commands/delete-mapping.ts'),
    },
    {
      name: 'user',
      summary: 'Delete users; revoke them too, or their creds files go on working',
      args: OPTIONAL_NAME,
      flags: [
        { name: 'name', short: 'n', type: 'list', text: 'users to delete' },
        { name: 'revoke', short: 'R', type: 'switch', text: 'revoke the users first' },
        ...KEY_FLAGS,
        ACCOUNT_FLAG,
      ],
      examples: ['nsc delete user --name bob --revoke', 'nsc delete user --name bob,eve -R -D -C'],
      load: () => import('../commands/delete-user.ts'),
    },
  ],
}
