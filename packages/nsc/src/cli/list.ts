import type { GroupSpec } from './spec.ts'

export const LIST: GroupSpec = {
  name: 'list',
  summary: 'List operators, accounts, users and keys',
  flags: [{ name: 'json', short: 'J', type: 'switch', text: 'list as JSON' }],
  commands: [
    {
      name: 'accounts',
      aliases: ['account'],
      summary: 'List the accounts of an operator',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'operator', short: 'o', type: 'text', text: 'operator, which becomes the current one' },
      ],
      examples: ['nsc list accounts', 'nsc list accounts --json'],
      storeless: true,
      load: () => import('../commands/list-accounts.ts'),
    },
    {
      name: 'keys',
      aliases: ['key'],
      summary: 'List keys and whether their seeds are stored',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'operator', short: 'o', type: 'switch', text: 'operator keys' },
        { name: 'accounts', short: 'a', type: 'switch', text: 'account keys' },
        { name: 'users', short: 'u', type: 'switch', text: 'user keys' },
        { name: 'curve', short: 'x', type: 'switch', text: 'curve keys' },
        { name: 'all', short: 'A', type: 'switch', text: 'keys of the operator, all accounts and all users' },
        { name: 'account', type: 'text', text: 'keys of this account only' },
        { name: 'user', type: 'text', text: 'keys of this user only' },
        { name: 'filter', short: 'f', type: 'text', text: 'keys that contain these letters' },
        {
          name: 'not-referenced',
          type: 'switch',
          text: 'stored keys that nothing of this operator refers to',
        },
        { name: 'show-seeds', short: 'S', type: 'switch', text: 'show the seeds: mind who can see them' },
      ],
      examples: [
        'nsc list keys',
        'nsc list keys --all --filter VSVMGA',
        'nsc list keys --operator --not-referenced',
      ],
      storeless: true,
      load: () => import('../commands/list-keys.ts'),
    },
    {
      name: 'operators',
      aliases: ['operator'],
      summary: 'List the operators in the stores folder',
      args: { usage: '', max: 0 },
      examples: ['nsc list operators'],
      storeless: true,
      load: () => import('../commands/list-operators.ts'),
    },
    {
      name: 'users',
      aliases: ['user'],
      summary: 'List the users of an account',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'operator', short: 'o', type: 'text', text: 'operator, which becomes the current one' },
        { name: 'account', short: 'a', type: 'text', text: 'account, which becomes the current one' },
      ],
      examples: ['nsc list users', 'nsc list users --account Weather'],
      storeless: true,
      load: () => import('../commands/list-users.ts'),
    },
  ],
}
