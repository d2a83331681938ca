import {
  type AccountClaims,
  createCurveKeyPair,
  isPublicKey,
  roleOfPublicKey,
  validate,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { resolveKeyText } from '../keystore/keystore.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { quote } from '../text.ts'
import { addAll, removeAll, setList } from '../values.ts'
import { editAccount } from './shared.ts'

const EDIT_FLAGS = ['auth-user', 'rm-auth-user', 'allowed-account', 'rm-allowed-account', 'curve', 'rm-curve']

type Authorization = AccountClaims['nats']['authorization']

export async function run({ session, flags, args }: Call): Promise<Report> {
  const accountName = session.selectAccount(flags.text('account') || (args[0] ?? ''))
  if (!flags.hasAny(...EDIT_FLAGS, 'disable')) throw failure('please specify some options')
  if (flags.switch('disable') && flags.hasAny(...EDIT_FLAGS))
    throw failure('--disable is exclusive of all other options')
  const report = Report.list()
  await editAccount(session, accountName, async ({ account, signer, save }) => {
    signer({ keepIssuer: true })
    const done: string[] = []
    if (flags.switch('disable')) {
      account.nats.authorization = {}
      done.push('removed external authorization configuration')
    } else {
      if (flags.has('curve')) checkCurve(session, flags.text('curve'))
      const keys = (flag: string, role: 'user' | 'account') =>
        flags.list(flag).map((given) => publicKeyOf(session, given, role))
      const users = { added: keys('auth-user', 'user'), removed: keys('rm-auth-user', 'user') }
      const accounts = {
        added: keys('allowed-account', 'account'),
        removed: keys('rm-allowed-account', 'account'),
      }
      const { authorization } = account.nats
      const userLines = change(authorization, 'auth_users', users, 'user')
      const accountLines = change(authorization, 'allowed_accounts', accounts, 'account')
      done.push(...userLines, ...accountLines)
      if (flags.switch('rm-curve')) done.push(removeCurve(authorization))
      if (flags.has('curve')) {
        authorization.xkey = curveKey(session, flags.text('curve'))
        done.push(`set curve key ${authorization.xkey}`)
      }
    }
    const wrong = validate(account).find(({ level }) => level === 'error')
    if (wrong) throw failure(wrong.text)
    await save(report)
    if (!report.failed) for (const line of done) report.ok(line)
  })
  return report
}

/** Adds and removes keys of one list; returns what to say about each. */
function change(
  authorization: Authorization,
  list: 'auth_users' | 'allowed_accounts',
  { added, removed }: { added: string[]; removed: string[] },
  what: string,
): string[] {
  const before = authorization[list] ?? []
  const grown = addAll(before, added)
  setList(authorization, list, removeAll(grown, removed))
  return [
    ...added.map((key) =>
      before.includes(key)
        ? `skipped adding ${what} ${quote(key)} - as it's already set`
        : `added ${what} ${quote(key)}`,
    ),
    ...removed.map((key) =>
      grown.includes(key)
        ? `deleted ${what} ${quote(key)}`
        : `skipping ${what} ${quote(key)} - as it's not currently set`,
    ),
  ]
}

/** A public key given as public key, seed or file; `*` stands for all. */
function publicKeyOf(session: Session, given: string, role: 'user' | 'account'): string {
  if (given === '*') return given
  const key = resolveKeyText(given, (file) => session.expand(file))
  if (!key || !isPublicKey(key.publicKey, role)) throw failure(`${quote(given)} is not a valid ${role} key`)
  return key.publicKey
}

function removeCurve(authorization: Authorization): string {
  const before = authorization.xkey
  delete authorization.xkey
  return before
    ? `removed ${before} curve key`
    : "remove curve key didn't do anything as the curve key was not set"
}

/** Refuses what {@link curveKey} cannot use, before a key is made. */
function checkCurve(session: Session, given: string): void {
  if (given !== 'generate') curveKey(session, given)
}

/** The public curve key that requests are encrypted for. A new one is stored before any token names it. */
function curveKey(session: Session, given: string): string {
  if (given === '') throw failure('signing key cannot be empty')
  if (given === 'generate') {
    const pair = createCurveKeyPair()
    session.keystore.store(pair)
    return pair.publicKey
  }
  const key = resolveKeyText(given, (file) => session.expand(file))
  if (!key) throw failure('a curve key is required')
  if (roleOfPublicKey(key.publicKey) !== 'curve') throw failure(`invalid x25519 curve key ${quote(given)}`)
  return key.publicKey
}
