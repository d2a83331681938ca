import { ACCOUNT_FLAG, nameFlag, OUTPUT_FLAG, TIME_FLAGS } from './common-flags.ts'
import { type GroupSpec, later } from './spec.ts'

export const GENERATE: GroupSpec = {
  name: 'generate',
  summary: 'Generate creds files, activation tokens, server configurations and keys',
  commands: [
    {
      name: 'activation',
      summary: 'Generate the token that lets another account import a private export',
      args: { usage: '', max: 0 },
      flags: [
        {
          name: 'subject',
          short: 's',
          type: 'text',
          text: 'subject of the export or part of it (not needed if one export is private)',
        },
        {
          name: 'target-account',
          short: 't',
          type: 'text',
          text: 'account that may import: public key, or name if it is here',
        },
        OUTPUT_FLAG,
        { name: 'push', type: 'switch', text: 'send the token to the account server of the operator' },
        ACCOUNT_FLAG,
        ...TIME_FLAGS,
      ],
      examples: [
        'nsc generate activation --subject "orders.>" --target-account AB... --output-file orders.jwt',
        'nsc generate activation --account Shop --target-account AB... --expiry 30d',
      ],
      quiet: true,
      load: () => import('../commands/generate-activation.ts'),
    },
    {
      name: 'config',
      summary: 'Generate the configuration of a nats-server for this operator',
      args: { usage: '', max: 0 },
      flags: [
        { name: 'mem-resolver', type: 'switch', text: 'with all accounts in the configuration' },
        { name: 'nats-resolver', type: 'switch', text: 'with accounts that are pushed to the server' },
        {
          name: 'nats-resolver-cache',
          type: 'switch',
          text: 'with accounts fetched from other servers when needed',
        },
        {
          name: 'nkey',
          type: 'switch',
          text: 'with keys and permissions of users, without tokens',
          hidden: true,
        },
        { name: 'config-file', type: 'text', text: "file to write, '--' is standard output", fallback: '--' },
        {
          name: 'dir',
          type: 'text',
          text: 'folder to write, with one file per token (mem-resolver)',
          hidden: true,
        },
        { name: 'force', short: 'F', type: 'switch', text: 'replace the file' },
        { name: 'sys-account', type: 'text', text: 'system account, by name or public key' },
      ],
      examples: [
        'nsc generate config --mem-resolver --config-file server.conf',
        'nsc generate config --nats-resolver --sys-account SYS --config-file server.conf --force',
      ],
      quiet: true,
      load: () => import('../commands/generate-config.ts'),
    },
    later('context', 'Generate a context of the nats program'),
    {
      name: 'creds',
      summary: 'Generate the creds file of a user, which is all a client needs to connect',
      args: { usage: '', max: 0 },
      flags: [nameFlag('user (the only one unless given)'), OUTPUT_FLAG, ACCOUNT_FLAG],
      examples: [
        'nsc generate creds --name bob',
        'nsc generate creds --account Weather --name bob --output-file bob.creds',
      ],
      quiet: true,
      load: () => import('../commands/generate-creds.ts'),
    },
    later('diagram', 'Generate diagrams'),
    {
      name: 'nkey',
      summary: 'Generate keys: prints seed and public key',
      args: { usage: '', min: 0 },
      flags: [
        { name: 'operator', short: 'o', type: 'switch', text: 'operator key' },
        { name: 'account', short: 'a', type: 'switch', text: 'account key' },
        { name: 'user', short: 'u', type: 'switch', text: 'user key' },
        { name: 'curve', short: 'x', type: 'switch', text: 'curve key' },
        {
          name: 'store',
          short: 'S',
          type: 'switch',
          text: 'put the key into the keystore, and do not print the seed',
        },
      ],
      examples: ['nsc generate nkey --user', 'nsc generate nkey --account --store'],
      storeless: true,
      load: () => import('../commands/generate-nkey.ts'),
    },
    later('profile', 'Generate a profile for other programs'),
  ],
}
