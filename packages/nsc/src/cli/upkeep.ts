import { NKEY_FLAGS } from './common-flags.ts'
import type { CommandSpec, GroupSpec } from './spec.ts'

/** Commands that look after what is there: expiry, old formats, the program itself. */

export const KEYS: GroupSpec = {
  name: 'keys',
  summary: 'Change the layout of the keystore',
  commands: [
    {
      name: 'migrate',
      summary: 'Move a keystore of the earliest layout to the current one; the old one is kept beside it',
      args: { usage: '', min: 0 },
      examples: ['nsc keys migrate'],
      storeless: true,
      worksOnOldStore: true,
      worksOnOldKeystore: true,
      load: () => import('../commands/keys-migrate.ts'),
    },
  ],
}

export const EXPIRATIONS: CommandSpec = {
  name: 'expirations',
  summary: 'Show which tokens and creds files have expired or will soon',
  args: { usage: '', max: 0 },
  flags: [
    {
      name: 'within',
      short: 'e',
      type: 'text',
      text: 'what soon is: a date yyyy-mm-dd, or from now #m(inutes) #h(ours) #d(ays) #w(eeks) #M(onths) #y(ears)',
      fallback: '1M',
    },
    { name: 'skip', type: 'switch', text: 'leave out what has not expired and will not soon' },
    { name: 'json', type: 'switch', text: 'print JSON, on standard output' },
  ],
  examples: ['nsc expirations', 'nsc expirations --skip --within 1w', 'nsc expirations --json --within 3M'],
  load: () => import('../commands/expirations.ts'),
}

export const UPDATE: CommandSpec = {
  name: 'update',
  summary: 'Say how this program is updated',
  args: { usage: '', max: 0 },
  flags: [{ name: 'version', type: 'text', text: 'version to update to (the latest unless given)' }],
  examples: ['nsc update'],
  storeless: true,
  worksOnOldStore: true,
  load: () => import('../commands/update.ts'),
}

export const UPGRADE_JWT: CommandSpec = {
  name: 'upgrade-jwt',
  summary: 'Upgrade the token of an operator from version 1 to version 2',
  args: { usage: '', max: 0 },
  examples: ['nsc upgrade-jwt'],
  hidden: true,
  worksOnOldStore: true,
  load: () => import('../commands/upgrade-jwt.ts'),
}

export const TEST: GroupSpec = {
  name: 'test',
  summary: 'Lists for those who work on this program',
  commands: [
    {
      name: 'doc',
      summary: 'Write the help of every command into a folder, as Markdown',
      args: { usage: '<folder>', min: 1, max: 1 },
      examples: ['nsc test doc help'],
      storeless: true,
      load: () => import('../commands/test-doc.ts'),
    },
    {
      name: 'flags',
      summary: 'Print a table of all commands and flags, as CSV',
      args: { usage: '', min: 0 },
      examples: ['nsc test flags'],
      quiet: true,
      storeless: true,
      load: () => import('../commands/test-flags.ts'),
    },
    {
      name: 'nkey',
      summary: 'The same as nsc generate nkey',
      args: { usage: '', min: 0 },
      flags: NKEY_FLAGS,
      examples: ['nsc test nkey --user'],
      storeless: true,
      load: () => import('../commands/generate-nkey.ts'),
    },
    {
      name: 'whoflag',
      summary: 'Print the commands that have a flag',
      args: { usage: '<name or letter>', min: 1, max: 1 },
      examples: ['nsc test whoflag account'],
      quiet: true,
      storeless: true,
      load: () => import('../commands/test-whoflag.ts'),
    },
  ],
}
