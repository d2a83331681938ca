import { type Frame, PERMISSIONS, signingKey, TIMES, withKey } from './frame.ts'

/** Frames of add and delete. */
export const MAKING: Record<string, Frame> = {
  'add operator': {
    args: '--name New',
    flags: {
      name: ['--name Other', '--name a/b'],
      url: [
        '--url nowhere.jwt',
        (sandbox) => `--url ${sandbox.path('.local/share/nats/nsc/stores/Op/Op.jwt')}`,
      ],
      force: ['--force'],
      ...TIMES,
    },
    more: ['', '--name Op', '--sys --generate-signing-key', '-K operator.nk', '-K user.nk', 'one two'],
  },
  'add account': {
    args: '--name New',
    flags: {
      name: ['--name Other', '--name a/b', '--name a', "--name ''"],
      'public-key': [
        '--public-key account.nk',
        '-k user.nk',
        '-k nonsense',
        withKey('--public-key KEY', 'A'),
      ],
      ...PERMISSIONS,
      ...TIMES,
    },
    more: ['', "'with blank'", '-K operator.nk', withKey('-K KEY'), 'a b c'],
  },
  'add user': {
    args: '--name new',
    flags: {
      name: ['--name u', '--name a/b', "--name 'über user'", '--name U'],
      'public-key': ['--public-key user.nk', '-k account.nk', '-k nonsense'],
      tag: ['--tag a:1,B:2 --tag c'],
      'source-network': ['--source-network 10.1.0.0/16'],
      bearer: ['--bearer'],
      account: ['--account B', '-a nope', withKey('--account KEY', 'B')],
      ...PERMISSIONS,
      ...TIMES,
    },
    more: [
      '',
      '-K r',
      '-K r --allow-pub x',
      '-K r --tag x',
      '-K account.nk',
      '-K user.nk',
      signingKey('-K KEY'),
      'x y',
    ],
  },
  'add export': {
    args: '--subject new.*',
    flags: {
      subject: ['--subject foo.>', "--subject 'a b'", '--subject weather.CA', '--subject a..b'],
      name: ['--name nice'],
      service: ['--service', '-r'],
      private: ['--private', '-p'],
      latency: [
        '--service --latency lat.x --sampling 5',
        '--latency lat.x',
        "--service --latency 'a b' --sampling 5",
      ],
      sampling: ['--service --latency l --sampling header', '--service --latency l --sampling 101'],
      'response-type': [
        '--service --response-type Stream',
        '--service --response-type many',
        '--response-type Stream',
      ],
      'response-threshold': ['--service --response-threshold 2s', '--response-threshold 2s'],
      'account-token-position': [
        '--account-token-position 2',
        '--account-token-position 9',
        '--private --account-token-position 2',
      ],
      'allow-trace': ['--service --allow-trace', '--allow-trace'],
      advertise: ['--advertise'],
      account: ['--account B'],
    },
    more: ['extra', '--service --subject weather.CA'],
  },
  'add import': {
    args: '--src-account A --remote-subject new.x',
    flags: {
      token: ['--token orders.tok', '--token nowhere.tok'],
      'src-account': ['--account B --src-account nobody', withKey('--account B --src-account KEY', 'SYS')],
      'remote-subject': ["--account B --remote-subject 'a b'"],
      'local-subject': ['--account B --local-subject there.x', "--account B --local-subject 'x y'"],
      name: ['--account B --name nice'],
      service: ['--account B --service'],
      share: ['--account B --service --share', '--account B --share'],
      'allow-trace': ['--account B --allow-trace', '--account B --service --allow-trace'],
      account: ['--account nope'],
    },
    more: [],
  },
  'add mapping': {
    args: '--from new --to there',
    flags: {
      from: ["--from ''", "--from 'a b'", '--from m --to m.a --weight 10', '--from m --to m.c --weight 20'],
      to: ["--to ''", "--to 'a b'", '--to $1'],
      weight: ['--weight 30', '--weight 300', '--weight -1', '--weight x', '--weight 0x10'],
      cluster: ['--cluster east', '--from m --to m.a --cluster east --weight 90'],
      account: ['--account B', '--account nope'],
    },
    more: ['extra'],
  },
  'delete account': {
    args: '--name A',
    flags: {
      name: ['--name B', '--name nope'],
      revoke: ['--revoke=false', '-R'],
      'rm-nkey': ['--rm-nkey', '-D'],
      'rm-creds': ['--rm-creds', '-C'],
      force: ['--force', '-F'],
    },
    more: ['-DCF', 'B'],
  },
  'delete user': {
    args: '--name u',
    flags: {
      name: ['--name v,s', '--name nope'],
      revoke: ['--revoke', '-R'],
      'rm-nkey': ['--rm-nkey', '-D'],
      'rm-creds': ['--rm-creds', '-C'],
      account: ['--account B --name w', '--account nope'],
    },
    more: ['-RDC', '--name v --revoke'],
  },
  'delete export': {
    args: '--subject weather.CA',
    flags: { subject: ['--subject nope', '--subject ip.geo'], account: ['--account B'] },
    more: ['extra'],
  },
  'delete import': {
    args: '--account B --subject weather.CA',
    flags: {
      subject: ['--subject nope', '--subject ip.geo'],
      'src-account': [withKey('--src-account KEY', 'A'), withKey('--subject nope --src-account KEY', 'A')],
      account: ['--account A'],
    },
    more: ['extra'],
  },
  'delete mapping': {
    args: '--from m',
    flags: {
      from: ['--from nope', "--from ''"],
      to: ['--to m.a', '--to m.b'],
      account: ['--account B', '--account nope'],
    },
    more: ['extra'],
  },
}
