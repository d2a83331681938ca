import { type Frame, SELECTION, withKey } from './frame.ts'

/** Frames of revocations, and what moves keys, tokens and stores. */
export const MOVING: Record<string, Frame> = {
  'revocations add-user': {
    args: '--name u',
    flags: {
      name: ['--name nope', '--name V'],
      'user-public-key': ['-u w', withKey('-u KEY', 'B', 'w')],
      at: ['--at 1700000000', '--at 2023-11-14T22:13:20Z', '--at 0'],
      account: ['--account B --name w', '--account nope'],
    },
    more: [],
  },
  'revocations delete-user': {
    args: '--name v',
    flags: {
      name: ['--name u', '--name nope'],
      'user-public-key': ['-u *'],
      account: ['--account B --name w'],
    },
  },
  'revocations list-users': { reads: true, flags: { account: ['--account B', '-a nope'] }, more: [''] },
  'revocations add_activation': {
    args: '--subject orders.> --target-account B',
    flags: {
      subject: ['--subject nope', '--subject weather.CA'],
      service: ['--service --subject rep.*', '--service'],
      'target-account': ['-t *', '-t nobody', withKey('-t KEY', 'A')],
      at: ['--at 1700000000'],
      account: ['--account B'],
    },
    more: [],
  },
  'revocations delete_activation': {
    args: '--subject orders.> --target-account SYS',
    flags: {
      subject: ['--subject nope'],
      service: ['--service --subject rep.*'],
      'target-account': ['-t B', '-t *'],
      account: ['--account B'],
    },
    more: [],
  },
  'revocations list_activations': {
    reads: true,
    args: '--subject orders.>',
    flags: {
      subject: ['--subject weather.CA', '--subject nope'],
      service: ['--service --subject rep.*'],
      account: ['--account B'],
    },
    more: [],
  },
  'export keys': {
    args: '--dir out',
    flags: {
      dir: ['--dir backup', '--dir backup --all'],
      ...SELECTION,
      'include-jwts': ['--include-jwts', '--all --include-jwts'],
      force: ['--dir backup --force'],
      remove: ['--remove', '--users --remove'],
      curve: [],
    },
    more: [],
  },
  'import account': {
    args: '--file self.jwt',
    flags: {
      file: ['--file nowhere.jwt', '-j foreign.jwt', '-j w.creds', '-j loose'],
      force: ['--force -j foreign.jwt'],
      overwrite: [
        '--overwrite',
        (sandbox) => `--overwrite -j ${sandbox.path('backup', `${sandbox.key('Op', 'A')}.jwt`)}`,
      ],
      skip: ['--skip'],
    },
    more: [(sandbox) => `-j ${sandbox.path('backup', `${sandbox.key('Op', 'A')}.jwt`)}`, ''],
  },
  'import keys': {
    args: '--dir loose',
    flags: { dir: ['--dir nowhere', '--dir self.jwt', '--dir .config'], recurse: ['--recurse', '-R'] },
    more: [],
  },
  'import user': {
    before: ['delete user --account B --name w --rm-nkey --rm-creds'],
    args: '--file w.creds',
    flags: {
      file: ['--file nowhere.jwt', '-f self.jwt', '-f token.txt'],
      overwrite: ['--overwrite'],
      skip: ['--skip'],
    },
    more: [],
  },
  'keys migrate': { flags: {}, more: [''] },
  'reissue operator': {
    flags: { name: ['--name Op', '--name nope'], 'convert-to-signing-key': ['--convert-to-signing-key'] },
    more: ['', (sandbox) => `-K ${sandbox.read('operator.nk')}`, 'extra'],
  },
  'rename account': {
    args: 'A C',
    flags: { OK: ['--OK'] },
    more: ['A B --OK', 'nope X --OK', 'A', 'B Z --OK'],
  },
  fix: {
    args: '--in plain --out fixed',
    flags: {
      in: ['--in nowhere --out x', '--in loose --out y'],
      out: ['--out again'],
      creds: ['--creds --in w.creds'],
    },
    more: [],
  },
  migrate: {
    args: '--url self.jwt',
    flags: {
      url: ['--url nowhere', (sandbox) => `--url ${sandbox.path('backup', `${sandbox.key('Op', 'A')}.jwt`)}`],
      'operator-dir': ['--operator-dir x'],
      force: [],
    },
    more: ['--operator-dir nowhere'],
  },
  'upgrade-jwt': { flags: {}, more: ['', 'extra'] },
  'test nkey': { args: '--user', flags: {}, more: [] },
  'test whoflag': { reads: true, args: 'subject', flags: {}, more: [''] },
  init: {
    flags: {
      dir: ['--dir elsewhere --name X'],
      name: ['--name X', '--name Op', '--name a/b'],
      url: ['--url nonsense --name X'],
      'remote-operator': ['--remote-operator nobody --name X'],
    },
    more: [],
  },
}
