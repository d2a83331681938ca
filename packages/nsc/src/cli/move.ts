import { nameFlag } from './common-flags.ts'
import type { CommandSpec, FlagSpec, GroupSpec } from './spec.ts'

/** Commands that move things: out of the stores, into them, to another name, key or operator. */

export const EXPORT: GroupSpec = {
  name: 'export',
  summary: 'Copy keys out of the keystore',
  commands: [
    {
      name: 'keys',
      summary: 'Copy keys, and tokens if asked, into a folder: for a backup, or to move to another machine',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'dir', short: 'd', type: 'text', text: 'folder to copy to', required: true },
        { name: 'operator', short: 'o', type: 'switch', text: 'operator keys' },
        { name: 'accounts', short: 'a', type: 'switch', text: 'account keys' },
        { name: 'users', short: 'u', type: 'switch', text: 'user keys' },
        { name: 'curves', type: 'switch', text: 'curve keys' },
        { name: 'all', short: 'A', type: 'switch', text: 'keys of the operator, all accounts and all users' },
        { name: 'account', type: 'text', text: 'keys of this account only' },
        { name: 'user', type: 'text', text: 'keys of this user only' },
        { name: 'curve', type: 'text', text: 'this curve key only' },
        { name: 'filter', short: 'f', type: 'text', text: 'keys that contain these letters' },
        {
          name: 'not-referenced',
          type: 'switch',
          text: 'stored keys that nothing of this operator refers to',
        },
        { name: 'include-jwts', type: 'switch', text: 'copy the tokens too: nsc fix makes stores of them' },
        { name: 'force', short: 'F', type: 'switch', text: 'replace files that are there' },
        { name: 'remove', short: 'R', type: 'switch', text: 'delete the keys from the keystore afterwards' },
      ],
      examples: [
        'nsc export keys --dir backup                              # operator, current account and its users',
        'nsc export keys --all --include-jwts --dir backup         # everything of the operator',
        'nsc export keys --operator --not-referenced --dir others',
        'nsc export keys --operator --remove --dir /media/safe     # keep the operator key offline',
      ],
      storeless: true,
      load: () => import('../commands/export-keys.ts'),
    },
  ],
}

const IMPORT_FLAGS: readonly FlagSpec[] = [
  { name: 'overwrite', type: 'switch', text: 'replace the one that is there' },
  { name: 'skip', type: 'switch', text: 'import even with mistakes that would have to be edited out' },
]

export const IMPORT: GroupSpec = {
  name: 'import',
  summary: 'Take accounts, users and keys from files',
  commands: [
    {
      name: 'account',
      summary: 'Import an account; a self-signed one is signed by the operator',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'file', short: 'j', type: 'text', text: 'file with the token (.jwt)' },
        { name: 'force', type: 'switch', text: 'even if another operator signed it' },
        ...IMPORT_FLAGS,
      ],
      examples: [
        'nsc import account --file Weather.jwt',
        'nsc import account --file Weather.jwt --overwrite',
      ],
      storeless: true,
      load: () => import('../commands/import-account.ts'),
    },
    {
      name: 'keys',
      summary: 'Import all keys (.nk) of a folder',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'dir', short: 'd', type: 'text', text: 'folder to take keys from', required: true },
        { name: 'recurse', short: 'R', type: 'switch', text: 'and from the folders in it' },
      ],
      examples: ['nsc import keys --dir backup', 'nsc import keys --recurse --dir backup'],
      storeless: true,
      load: () => import('../commands/import-keys.ts'),
    },
    {
      name: 'user',
      summary: 'Import a user of an account that is here, with its key when that is in the file',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'file',
          short: 'f',
          type: 'text',
          text: 'file with the token (.jwt), or creds file (.creds)',
        },
        ...IMPORT_FLAGS,
      ],
      examples: ['nsc import user --file bob.creds', 'nsc import user --file bob.jwt --overwrite'],
      storeless: true,
      load: () => import('../commands/import-user.ts'),
    },
  ],
}

export const REISSUE: GroupSpec = {
  name: 'reissue',
  summary: 'Give an operator a new identity',
  commands: [
    {
      name: 'operator',
      summary: 'Give the operator a new identity key and sign its accounts again (-K names the key to use)',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'convert-to-signing-key',
          type: 'switch',
          text: 'keep the old identity key as a signing key, so that accounts stay as they are',
        },
        nameFlag('operator (the current one unless given)'),
      ],
      examples: [
        'nsc reissue operator                              # servers need the new operator token, and all accounts',
        'nsc reissue operator --convert-to-signing-key     # servers need the new operator token',
      ],
      storeless: true,
      load: () => import('../commands/reissue-operator.ts'),
    },
  ],
}

export const RENAME: GroupSpec = {
  name: 'rename',
  summary: 'Give an account another name',
  commands: [
    {
      name: 'account',
      summary: 'Give an account another name; its key and its users stay',
      args: { usage: '<name> <new name>', min: 2, max: 2 },
      flags: [{ name: 'OK', type: 'switch', text: 'the folders are backed up', hidden: true }],
      examples: ['nsc rename account Wether Weather'],
      quiet: true,
      storeless: true,
      load: () => import('../commands/rename-account.ts'),
    },
  ],
}

export const FIX: CommandSpec = {
  name: 'fix',
  summary: 'Make stores and a keystore of the tokens, keys and creds files found in folders',
  args: { usage: '', min: 0 },
  flags: [
    { name: 'in', type: 'list', text: 'folders to look in, with all folders in them', required: true },
    {
      name: 'out',
      type: 'text',
      text: 'folder to write: operators and keys in it (./fix_<id> unless given)',
    },
    { name: 'creds', type: 'switch', text: 'take users and their keys from creds files too' },
  ],
  examples: [
    'nsc fix --in backup --out restored',
    'nsc fix --in ~/.local/share/nats/nsc/stores,~/.local/share/nats/nsc/keys --creds --out restored',
  ],
  hidden: true,
  storeless: true,
  load: () => import('../commands/fix.ts'),
}

export const MIGRATE: CommandSpec = {
  name: 'migrate',
  summary: 'Copy an account, or all of another operator, to the current operator',
  args: { usage: '', max: 0 },
  flags: [
    { name: 'url', short: 'u', type: 'text', text: 'file or URL of the token of the account' },
    { name: 'operator-dir', type: 'text', text: 'store of an operator, all of whose accounts are copied' },
    { name: 'force', short: 'F', type: 'switch', text: 'replace accounts of the same name' },
  ],
  examples: [
    'nsc migrate --url Weather.jwt',
    'nsc migrate --operator-dir ~/.local/share/nats/nsc/stores/Old',
  ],
  hidden: true,
  load: () => import('../commands/migrate.ts'),
}

export const LOAD: CommandSpec = {
  name: 'load',
  summary: 'Set up operator, account and a user from the seed of the account',
  args: { usage: '', min: 0 },
  flags: [
    {
      name: 'profile',
      type: 'text',
      text: 'nsc://<known operator>?secret=<seed of the account>&user=<name>',
    },
    {
      name: 'url',
      type: 'text',
      text: 'URL of the operator token, for operators that are not known by name',
    },
    { name: 'seed', type: 'text', text: 'seed of the account' },
    { name: 'user', type: 'text', text: 'name of the user to make', fallback: 'default' },
  ],
  examples: [
    'nsc load --profile "nsc://ngs?secret=SA..."',
    'nsc load --url https://example.com/jwt/v1/operator --seed SA... --user bob',
  ],
  storeless: true,
  load: () => import('../commands/load.ts'),
}
