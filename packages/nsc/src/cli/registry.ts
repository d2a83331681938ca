import type { Entry } from './program.ts'

/** What can follow `nsc`. Tables are loaded only for the word that was typed. */
export const ENTRIES: readonly Entry[] = [
  {
    name: 'add',
    aliases: ['create'],
    summary: 'add operators, accounts, users, exports, imports and mappings',
    load: async () => (await import('./add.ts')).ADD,
  },
  {
    name: 'completion',
    summary: 'print completion scripts for shells',
    load: async () => (await import('./completion.ts')).COMPLETION,
  },
  {
    name: 'delete',
    summary: 'delete accounts, users, exports, imports and mappings',
    load: async () => (await import('./delete.ts')).DELETE,
  },
  {
    name: 'describe',
    summary: 'show operators, accounts, users and token files',
    load: async () => (await import('./describe.ts')).DESCRIBE,
  },
  {
    name: 'edit',
    summary: 'edit operators, accounts, users, exports, scoped signing keys and authorization callouts',
    load: async () => (await import('./edit.ts')).EDIT,
  },
  {
    name: 'env',
    summary: 'show and choose folders, operator and account',
    load: async () => (await import('./context.ts')).ENV,
  },
  {
    name: 'generate',
    summary: 'generate creds files, activation tokens, configurations, contexts, profiles, diagrams and keys',
    load: async () => (await import('./generate.ts')).GENERATE,
  },
  {
    name: 'init',
    summary: 'make a first operator, account and user, or join a known operator',
    load: async () => (await import('./context.ts')).INIT,
  },
  {
    name: 'list',
    summary: 'list operators, accounts, users and keys',
    load: async () => (await import('./list.ts')).LIST,
  },
  {
    name: 'pull',
    summary: 'fetch operator and accounts from the account server',
    load: async () => (await import('./sync.ts')).PULL,
  },
  {
    name: 'push',
    summary: 'send accounts to the account server',
    load: async () => (await import('./sync.ts')).PUSH,
  },
  {
    name: 'revocations',
    summary: 'revoke users and activation tokens',
    load: async () => (await import('./revocations.ts')).REVOCATIONS,
  },
  {
    name: 'select',
    summary: 'choose the operator or account to work on',
    load: async () => (await import('./context.ts')).SELECT,
  },
  {
    name: 'tool',
    summary: 'publish, subscribe, request, reply and measure with a stored user',
    load: async () => (await import('./tool.ts')).TOOL,
  },
  {
    name: 'validate',
    summary: 'check operator, accounts and users for mistakes',
    load: async () => (await import('./sync.ts')).VALIDATE,
  },
  ...['pub', 'sub', 'req', 'reply', 'rtt'].map((name) => ({
    name,
    summary: `the same as nsc tool ${name}`,
    hidden: true,
    load: async () => (await import('./tool.ts')).rootTool(name),
  })),
  {
    name: 'expirations',
    summary: 'show which tokens and creds files have expired or will soon',
    load: async () => (await import('./upkeep.ts')).EXPIRATIONS,
  },
  {
    name: 'export',
    summary: 'copy keys out of the keystore',
    load: async () => (await import('./move.ts')).EXPORT,
  },
  {
    name: 'import',
    summary: 'take accounts, users and keys from files',
    load: async () => (await import('./move.ts')).IMPORT,
  },
  {
    name: 'keys',
    summary: 'change the layout of the keystore',
    load: async () => (await import('./upkeep.ts')).KEYS,
  },
  {
    name: 'load',
    summary: 'set up operator, account and a user from the seed of the account',
    load: async () => (await import('./move.ts')).LOAD,
  },
  {
    name: 'reissue',
    summary: 'give an operator a new identity',
    load: async () => (await import('./move.ts')).REISSUE,
  },
  {
    name: 'update',
    summary: 'say how this program is updated',
    load: async () => (await import('./upkeep.ts')).UPDATE,
  },
  {
    name: 'fix',
    aliases: ['restore'],
    summary: 'make stores of tokens, keys and creds files found in folders',
    hidden: true,
    load: async () => (await import('./move.ts')).FIX,
  },
  {
    name: 'migrate',
    summary: 'copy accounts of another operator',
    hidden: true,
    load: async () => (await import('./move.ts')).MIGRATE,
  },
  {
    name: 'rename',
    summary: 'give an account another name',
    hidden: true,
    load: async () => (await import('./move.ts')).RENAME,
  },
  {
    name: 'test',
    summary: 'lists for those who work on this program',
    hidden: true,
    load: async () => (await import('./upkeep.ts')).TEST,
  },
  {
    name: 'upgrade-jwt',
    summary: 'upgrade the token of an operator from version 1',
    hidden: true,
    load: async () => (await import('./upkeep.ts')).UPGRADE_JWT,
  },
]
