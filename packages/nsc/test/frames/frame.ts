import type { FlagSpec } from '../../src/cli/spec.ts'
import type { Sandbox } from '../support/sandbox.ts'
import { words } from '../support/scenario.ts'

/**
 * How each command is called on the template store, and what its flags are given. Scenarios are made of this and of
 * the flag tables: every flag gets a value it takes and, where its type can be wrong, one it refuses.
 */

export type Text = string | ((sandbox: Sandbox) => string)

export interface Frame {
  /** Arguments without which the command would only complain. */
  args?: Text
  /** Calls before it. */
  before?: Text[]
  /** Changes nothing: its scenarios may share a home. */
  reads?: true
  /** What to put behind the arguments for a flag, instead of the flag and a value of its type. */
  flags?: Record<string, Text[]>
  /** Whole calls besides those made from flags. */
  more?: Text[]
}

export const PERMISSIONS: Record<string, Text[]> = {
  'allow-pub': ['--allow-pub x,y.*', "--allow-pub 'a b'"],
  'allow-sub': ["--allow-sub 'jobs workers'", "--allow-sub 'a b c'"],
  'deny-pub': ['--deny-pub x.>'],
  'deny-sub': ['--deny-sub q'],
  'allow-pubsub': ['--allow-pubsub x.>'],
  'deny-pubsub': ['--deny-pubsub x'],
  'allow-pub-response': ['--allow-pub-response', '--allow-pub-response=5'],
  'response-ttl': ['--allow-pub-response --response-ttl 5s', '--response-ttl soon'],
}

export const TIMES: Record<string, Text[]> = {
  start: ['--start 2020-01-01', '--start 0', '--start never', '--start 2w', '--start 1.5h'],
  expiry: ['--expiry 2031-01-02', '--expiry 2031-02-31', "--expiry '2031-01-02 03:04:05 UTC'", '--expiry 1y'],
}

export const USER_LIMITS: Record<string, Text[]> = {
  ...PERMISSIONS,
  rm: ['--rm a.>'],
  'rm-response-perms': ['--rm-response-perms'],
  time: ['--time 01:02:03-04:05:06', '--time 1-2'],
  'rm-time': ['--rm-time 01:02:03'],
  locale: ['--locale Europe/Paris', '--locale Nowhere/Land'],
  'source-network': ['--source-network 192.168.1.0/24', '--source-network nonsense'],
  'rm-source-network': ['--rm-source-network 10.0.0.0/8'],
  'conn-type': ['--conn-type mqtt,STANDARD', '--conn-type pigeon'],
  'rm-conn-type': ['--conn-type MQTT --rm-conn-type mqtt'],
  subs: ['--subs 5'],
  data: ['--data 1gb'],
  payload: ['--payload 1kib'],
  bearer: ['--bearer'],
}

const keyOf =
  (...place: [] | [string] | [string, string]) =>
  (sandbox: Sandbox) =>
    sandbox.key('Op', ...place)
export const withKey =
  (text: string, ...place: [] | [string] | [string, string]) =>
  (sandbox: Sandbox) =>
    text.replace('KEY', keyOf(...place)(sandbox))
export const signingKey = (text: string) => (sandbox: Sandbox) =>
  text.replace(
    'KEY',
    sandbox.claims('Op', 'A').nats.signing_keys.find((key: unknown) => typeof key === 'string'),
  )

export const SELECTION: Record<string, Text[]> = {
  account: ['--account B', '--account nope'],
  user: ['--user u', '--user nope'],
  filter: ['--all --filter AA', '--all --filter NOTHING9'],
}

export const OUTPUT: Record<string, Text[]> = {
  'output-file': ['--output-file out.txt', '--output-file no/such/out.txt'],
}

const SAMPLES: Partial<Record<FlagSpec['type'], string[]>> = {
  switch: [''],
  integer: ['7', 'x'],
  number: ['7', '10k', 'x', '1.5'],
  duration: ['2s', 'soon'],
  text: ['text'],
  list: ['one,two'],
}

/** What to put behind the arguments of a command for one of its flags. */
export function samplesOf(frame: Frame, flag: FlagSpec): Text[] {
  const own = frame.flags?.[flag.name]
  if (own) return own
  return (SAMPLES[flag.type] ?? []).map((value, index) => {
    const name = flag.short && index === 0 ? `-${flag.short}` : `--${flag.name}`
    return `${name} ${value}`.trim()
  })
}

export function toArgs(text: Text, sandbox: Sandbox): string[] {
  return words(typeof text === 'string' ? text : text(sandbox))
}
