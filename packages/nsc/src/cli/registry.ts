import type { Entry } from './program.ts'
import { later } from './spec.ts'

/** What can follow `nsc`. Tables are loaded only for the word that was typed. */
export const ENTRIES: readonly Entry[] = [
  {
    name: 'add',
    aliases: ['create'],
    summary: 'add operators, accounts, users, exports, imports',
    load: async () => (await import('./add.ts')).ADD,
  },
  {
    name: 'completion',
    summary: 'print completion scripts for shells',
    load: async () => (await import('./completion.ts')).COMPLETION,
  },
  {
    name: 'delete',
    summary: 'delete accounts, users, exports, imports',
    load: async () => (await import('./delete.ts')).DELETE,
  },
  {
    name: 'describe',
    summary: 'show operators, accounts, users and token files',
    load: async () => (await import('./describe.ts')).DESCRIBE,
  },
  {
    name: 'edit',
    summary: 'edit operators, accounts, users, exports and scoped signing keys',
    load: async () => (await import('./edit.ts')).EDIT,
  },
  {
    name: 'env',
    summary: 'show and choose folders, operator and account',
    load: async () => (await import('./context.ts')).ENV,
  },
  {
    name: 'generate',
    summary: 'generate creds files, activation tokens, server configurations and keys',
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
  ...[
    ['expirations', 'tokens that have expired or soon will'],
    ['export', 'export keys'],
    ['fix', 'rebuild stores from loose files'],
    ['import', 'import accounts, users and keys'],
    ['keys', 'migrate an old keystore'],
    ['load', 'load an operator, account and keys'],
    ['migrate', 'copy accounts of another operator'],
    ['reissue', 'issue an operator with a new key'],
    ['rename', 'rename an account'],
    ['update', 'update this program'],
    ['upgrade-jwt', 'upgrade a store of version 1'],
  ].map(([name = '', summary = '']) => ({
    name,
    summary,
    hidden: true,
    load: async () => later(name, summary),
  })),
]
