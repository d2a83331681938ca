import { nameFlag } from './common-flags.ts'
import type { CommandSpec, GroupSpec } from './spec.ts'

export const INIT: CommandSpec = {
  name: 'init',
  summary: 'Make a first operator, account and user, or join a known operator',
  args: { usage: '', min: 0 },
  flags: [
    { name: 'dir', short: 'd', type: 'text', text: 'folder of the operator stores' },
    nameFlag('name of the account and user, and of the operator if it is a new one (made up unless given)'),
    { name: 'url', short: 'u', type: 'text', text: 'URL of the token of an operator to join' },
    {
      name: 'remote-operator',
      short: 'o',
      type: 'text',
      text: 'name of a well-known operator to join: ngs, synadia',
    },
  ],
  examples: [
    'nsc init -o ngs -n First                          # an account on NGS: the service at $NGS_URL, or on this machine',
    'nsc init --name Test                              # an operator of your own, for your own servers',
    'nsc init -u https://example.com/jwt/v1/operator -n First',
  ],
  storeless: true,
  load: () => import('../commands/init.ts'),
}

export const ENV: CommandSpec = {
  name: 'env',
  summary: 'Show and choose folders, operator and account',
  args: { usage: '', max: 0 },
  flags: [
    { name: 'store', short: 's', type: 'text', text: 'use this folder of operator stores' },
    { name: 'operator', short: 'o', type: 'text', text: 'use this operator' },
    { name: 'account', short: 'a', type: 'text', text: 'use this account' },
  ],
  examples: ['nsc env', 'nsc env --operator Ops --account Weather'],
  worksOnOldStore: true,
  storeless: true,
  load: () => import('../commands/env.ts'),
}

export const SELECT: GroupSpec = {
  name: 'select',
  summary: 'Choose the operator or account to work on',
  commands: [
    {
      name: 'account',
      summary: 'Choose the account',
      args: { usage: '<name>', min: 1, max: 1 },
      examples: ['nsc select account Weather'],
      storeless: true,
      load: () => import('../commands/select-account.ts'),
    },
    {
      name: 'operator',
      summary: 'Choose the operator',
      args: { usage: '<name>', min: 1, max: 1 },
      examples: ['nsc select operator Ops'],
      storeless: true,
      load: () => import('../commands/select-operator.ts'),
    },
  ],
}
