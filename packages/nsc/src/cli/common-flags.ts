import type { FlagSpec } from './spec.ts'

/** Flags that several commands share, with one meaning. */

export const ACCOUNT_FLAG: FlagSpec = {
  name: 'account',
  short: 'a',
  type: 'text',
  text: 'account, by name or public key (the current one unless given)',
}

const DATE_FORMS =
  "a date yyyy-mm-dd or from now: #m(inutes) #h(ours) #d(ays) #w(eeks) #M(onths) #y(ears); '0' is always"

export const TIME_FLAGS: readonly FlagSpec[] = [
  { name: 'start', type: 'text', text: `valid from: ${DATE_FORMS}` },
  { name: 'expiry', type: 'text', text: `valid until: ${DATE_FORMS}` },
]

export function nameFlag(what: string): FlagSpec {
  return { name: 'name', short: 'n', type: 'text', text: what }
}

export const TAG_FLAGS: readonly FlagSpec[] = [
  { name: 'tag', type: 'list', text: 'add tags, comma-separated or repeated' },
  { name: 'rm-tag', type: 'list', text: 'remove tags' },
]

/** Of `generate nkey` and its other name. */
export const NKEY_FLAGS: readonly FlagSpec[] = [
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
]

export const OUTPUT_FLAG: FlagSpec = {
  name: 'output-file',
  short: 'o',
  type: 'text',
  text: "file to write, '--' is standard output",
  fallback: '--',
}

export const TLS_FLAGS: readonly FlagSpec[] = [
  { name: 'tls-first', type: 'switch', text: 'start TLS before the server speaks' },
  { name: 'ca-cert', type: 'text', text: 'file with the certificates of the authorities to trust' },
  { name: 'client-cert', type: 'text', text: 'file with the certificate of this client' },
  { name: 'client-key', type: 'text', text: 'file with the key of that certificate' },
  { name: 'tls-curves', type: 'text', text: 'key exchange curves in order: p256, p384, p521, x25519' },
]

export const JSON_FLAG: FlagSpec = { name: 'json', short: 'J', type: 'switch', text: 'report as JSON' }

export const OPTIONAL_NAME = { usage: '[name]', max: 1 } as const
