import { ACCOUNT_FLAG, JSON_FLAG, TLS_FLAGS } from './common-flags.ts'
import type { CommandSpec, FlagSpec } from './spec.ts'

const SYSTEM_FLAGS: readonly FlagSpec[] = [
  {
    name: 'system-account',
    type: 'text',
    text: 'system account, for servers reached over NATS (that of the operator unless given)',
  },
  { name: 'system-user', type: 'text', text: 'user of the system account (a temporary one unless given)' },
]

export const PUSH: CommandSpec = {
  name: 'push',
  summary: 'Send accounts to the account server of the operator',
  args: { usage: '', max: 0 },
  flags: [
    { name: 'all', short: 'A', type: 'switch', text: 'all accounts of the operator' },
    { name: 'force', short: 'F', type: 'switch', text: 'send accounts even if they have mistakes' },
    {
      name: 'account-jwt-server-url',
      short: 'u',
      type: 'text',
      text: 'account server: http(s), nats, ws or wss URL (that of the operator unless given)',
    },
    { name: 'diff', short: 'D', type: 'switch', text: 'show which accounts the servers have (NATS)' },
    {
      name: 'prune',
      short: 'P',
      type: 'switch',
      text: 'remove accounts from the servers that are not here (NATS)',
    },
    {
      name: 'account-removal',
      short: 'R',
      type: 'text',
      text: 'remove one account from the servers, by name or public key (NATS)',
    },
    ...SYSTEM_FLAGS,
    { name: 'timeout', type: 'integer', text: 'seconds to wait for answers, 1-60 (NATS)', fallback: 1 },
    ...TLS_FLAGS,
    JSON_FLAG,
    ACCOUNT_FLAG,
  ],
  jsonReport: true,
  examples: [
    'nsc push',
    'nsc push --all',
    'nsc push -a Weather -u nats://localhost:4222',
    'nsc push --diff',
    'nsc push --all --json',
  ],
  load: () => import('../commands/push.ts'),
}

export const PULL: CommandSpec = {
  name: 'pull',
  summary: 'Replace tokens by those of the account server',
  args: { usage: '', min: 0 },
  flags: [
    { name: 'all', short: 'A', type: 'switch', text: 'the operator and all its accounts' },
    { name: 'overwrite-newer', short: 'F', type: 'switch', text: 'even where the token here is newer' },
    ...SYSTEM_FLAGS,
    ...TLS_FLAGS,
    JSON_FLAG,
    ACCOUNT_FLAG,
  ],
  jsonReport: true,
  examples: ['nsc pull', 'nsc pull --all'],
  load: () => import('../commands/pull.ts'),
}

export const VALIDATE: CommandSpec = {
  name: 'validate',
  summary: 'Check operator, accounts and users for mistakes',
  args: { usage: '', max: 0 },
  flags: [
    { name: 'all-accounts', short: 'A', type: 'switch', text: 'all accounts of the operator' },
    { name: 'file', short: 'f', type: 'text', text: 'check the tokens in a file instead, one a line' },
    JSON_FLAG,
    ACCOUNT_FLAG,
  ],
  examples: [
    'nsc validate',
    'nsc validate --all-accounts',
    'nsc validate --all-accounts --json',
    'nsc validate --file tokens.txt',
  ],
  load: () => import('../commands/validate.ts'),
}
