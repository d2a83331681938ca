import { ACCOUNT_FLAG, nameFlag, OPTIONAL_NAME, OUTPUT_FLAG } from './common-flags.ts'
import type { GroupSpec } from './spec.ts'

export const DESCRIBE: GroupSpec = {
  name: 'describe',
  summary: 'Show operators, accounts, users and token files',
  flags: [
    { name: 'json', short: 'J', type: 'switch', text: 'show the body of the token as JSON' },
    { name: 'raw', short: 'R', type: 'switch', text: 'show the token itself' },
    {
      name: 'field',
      short: 'F',
      type: 'text',
      text: 'show one field, such as nats.limits.conn or nats.exports[0].name',
    },
    { name: 'long-ids', short: 'W', type: 'switch', text: 'show keys of accounts instead of names' },
  ],
  commands: [
    {
      name: 'account',
      summary: 'Show an account',
      args: OPTIONAL_NAME,
      flags: [nameFlag('account, by name or public key (the current one unless given)'), OUTPUT_FLAG],
      examples: ['nsc describe account', 'nsc describe account Weather --field nats.limits.conn'],
      quiet: true,
      load: () => import('../commands/describe-account.ts'),
    },
    {
      name: 'jwt',
      summary: 'Show a token or creds file, also activation tokens',
      args: { usage: '', max: 0 },
      flags: [{ name: 'file', short: 'f', type: 'text', text: 'file or http URL' }, OUTPUT_FLAG],
      examples: ['nsc describe jwt --file activation.jwt', 'nsc describe jwt -f bob.creds --json'],
      quiet: true,
      storeless: true,
      load: () => import('../commands/describe-jwt.ts'),
    },
    {
      name: 'operator',
      summary: 'Show an operator',
      args: OPTIONAL_NAME,
      flags: [nameFlag('operator, by name or public key (the current one unless given)'), OUTPUT_FLAG],
      examples: ['nsc describe operator', 'nsc describe operator --raw'],
      quiet: true,
      storeless: true,
      load: () => import('../commands/describe-operator.ts'),
    },
    {
      name: 'user',
      summary: 'Show a user',
      args: OPTIONAL_NAME,
      flags: [nameFlag('user, by name or public key (the only one unless given)'), OUTPUT_FLAG, ACCOUNT_FLAG],
      examples: ['nsc describe user bob', 'nsc describe user --account Weather --name bob --json'],
      quiet: true,
      load: () => import('../commands/describe-user.ts'),
    },
  ],
}
