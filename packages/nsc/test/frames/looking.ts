import { type Frame, OUTPUT, SELECTION, TIMES, withKey } from './frame.ts'

/** Frames of describe, list, validate, env, select and generate. */
export const LOOKING: Record<string, Frame> = {
  'describe operator': {
    reads: true,
    flags: {
      ...OUTPUT,
      json: ['--json'],
      raw: ['--raw', '--raw --output-file out.jwt'],
      field: [
        '--field nats.system_account',
        '--field nope',
        '--field nats.signing_keys[0]',
        '--field nats.signing_keys[7]',
      ],
      'long-ids': ['--long-ids'],
      name: ['--name Op', '--name nope', withKey('--name KEY')],
    },
    more: [''],
  },
  'describe account': {
    reads: true,
    args: '--name B',
    flags: {
      ...OUTPUT,
      name: ['--name A', '--name nope', withKey('--name KEY', 'A')],
      json: ['--json', '-J --name A'],
      raw: ['--raw'],
      field: ['--field nats.imports[0]', '--field nats.limits', "--field 'nats.imports[x]'"],
      'long-ids': ['--long-ids', '-W'],
    },
    more: ['A', ''],
  },
  'describe user': {
    reads: true,
    args: '--name u',
    flags: {
      ...OUTPUT,
      name: ['--name v', '--name s', '--name nope', withKey('--name KEY', 'A', 'u')],
      account: ['--account B --name w', '--account nope'],
      json: ['--json'],
      raw: ['-R'],
      field: ['-F nats.pub.allow[0]'],
      'long-ids': ['-W'],
    },
    more: ['v', ''],
  },
  'describe jwt': {
    reads: true,
    args: '--file orders.tok',
    flags: {
      file: ['--file nowhere', '--file w.creds', '--file self.jwt', '-f user.nk'],
      ...OUTPUT,
      json: ['-J'],
      raw: ['--raw'],
      field: ['--field nats.kind'],
      'long-ids': ['-W'],
    },
    more: [],
  },
  'list operators': { reads: true, flags: { json: ['--json'] }, more: ['', 'extra'] },
  'list accounts': { flags: { json: ['-J'], operator: ['--operator Op', '-o nope'] }, more: [''] },
  'list users': {
    flags: { json: ['--json'], operator: ['-o Op', '-o nope'], account: ['--account B', '-a nope'] },
    more: [''],
  },
  'list keys': {
    reads: true,
    flags: {
      ...SELECTION,
      json: ['--all --json'],
      'show-seeds': ['-S', '-S --not-referenced', '-AS --json'],
    },
    more: ['', '-oa', '-A'],
  },
  validate: {
    reads: true,
    flags: {
      account: ['--account B', '--account nope'],
      file: ['--file token.txt', '--file nowhere', '-A -f token.txt'],
    },
    more: ['', '-A -a A'],
  },
  expirations: {
    reads: true,
    flags: {
      within: ['--within 2031-01-01', '--within nonsense', '-e 1w'],
      json: ['--json', '--json --skip'],
    },
    more: ['', 'extra'],
  },
  env: {
    flags: {
      store: ['--store nowhere'],
      operator: ['--operator Op', '-o nope'],
      account: ['--account B', '-a nope'],
    },
    more: ['', 'extra'],
  },
  'select account': { args: 'B', flags: {}, more: ['nope', 'B extra'] },
  'select operator': { args: 'Op', flags: {}, more: ['nope'] },
  'generate activation': {
    args: '--subject orders.> --target-account B',
    flags: {
      subject: ['--subject orders.x', '--subject nope', "--subject 'a b'"],
      'target-account': [withKey('-t KEY', 'SYS'), '-t nobody', withKey('-t KEY', 'A', 'u')],
      ...OUTPUT,
      push: ['--push'],
      account: ['--account B'],
      ...TIMES,
    },
    more: ['--output-file a.tok --expiry 30d'],
  },
  'generate config': {
    reads: true,
    flags: {
      'mem-resolver': ['--mem-resolver', '--mem-resolver --nats-resolver'],
      'nats-resolver': ['--nats-resolver --config-file n.conf'],
      'nats-resolver-cache': ['--nats-resolver-cache --config-file c.conf'],
      nkey: ['--nkey --dir x'],
      dir: ['--mem-resolver --dir conf', '--mem-resolver --dir loose', '--dir other'],
      force: ['--mem-resolver --dir loose --force'],
      'config-file': ['--mem-resolver --config-file orders.tok'],
      'sys-account': ['--mem-resolver --sys-account A', '--mem-resolver --sys-account nope'],
    },
    more: [''],
  },
  'generate context': {
    args: '--user u --context ctx',
    flags: {
      user: ['--user nope', '--account B --user w'],
      context: ['--context other.json', '--context a/b', "--context ''"],
      account: ['--account nope'],
    },
    more: ['extra'],
  },
  'generate creds': {
    reads: true,
    args: '--name u',
    flags: { name: ['--name nope', '--name s'], ...OUTPUT, account: ['-a B --name w', '-a B'] },
    more: [],
  },
  'generate nkey': { args: '--user', flags: {}, more: ['-oaux', ''] },
  'generate profile': {
    reads: true,
    args: 'nsc://Op/A/u',
    flags: OUTPUT,
    more: [
      'nsc://Op',
      'nsc://Op/A',
      "'nsc://Op/A/u?names&keys&seeds'",
      "'nsc://Op/A/u?name&key&seed'",
      "'nsc://Op/A?key&seed'",
      "'nsc://Op/A/u?operatorName&accountKey&userSeed'",
      "'nsc://Op/A/u?OPERATORKEY&ACCOUNTNAME&USERNAME'",
      (sandbox) =>
        `nsc://Op/A?accountSeed=${sandbox.claims('Op', 'A').nats.signing_keys.find((k: unknown) => typeof k === 'string')}`,
      (sandbox) => `nsc://Op/A?accountSeed=${sandbox.key('Op', 'B')}`,
      'nsc://nope',
      'nsc://Op/nope',
      'nsc://Op/A/nope',
      'http://Op',
      'nsc://',
    ],
  },
  'generate diagram component': { reads: true, flags: OUTPUT, more: [''] },
  'generate diagram object': { reads: true, flags: OUTPUT, more: ['', '--users --show-keys --detail'] },
}
