import { createKeyPair, encode, type KeyPair, newOperatorClaims } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { exists, readText } from '../files.ts'
import { checkName, randomName } from '../names.ts'
import { isHttpUrl } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { withLock } from '../store/lock.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { findWellKnown, storeNameFor } from '../store/well-known.ts'
import { backquote, quote } from '../text.ts'
import { loadOperatorUrl, readOperatorToken } from './operator-token.ts'
import { applyDates, checkDates, nameOf, resolveKeyOfRole } from './shared.ts'
import { createSystemAccount, type SystemAccount } from './system-account.ts'

const SERVER_VERSION_LINE = 'When running your own nats-server, make sure they run at least version 2.2.0'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const given = nameOf(call)
  const name = given === '*' ? randomName() : given
  const report =
    flags.text('url') === '' ? await createOperator(call, name) : await importOperator(call, name)
  if (!report.failed && !session.environment.cwdOnly) session.context.setOperator(report.label)
  return report
}

// --- a new operator ------------------------------------------------------------------------------------------

async function createOperator({ session, flags }: Call, name: string): Promise<Report> {
  if (flags.switch('force')) throw failure('force only works with -u')
  if (name === '') throw usageError('operator name is required')
  checkName(name)
  checkDates(flags)
  const key = operatorKey(session, flags.switch('generate-signing-key'))
  // The label only carries the name to the caller: such a report prints its lines alone.
  const report = new Report(name, { shows: 'details' })
  if (operatorNames(session.context.storeRoot).includes(name))
    return withError(
      report,
      `operator named ${name} exists already please inspect and use --force to overwrite`,
    )

  if (session.signer === null) session.keystore.store(key)
  const store = OperatorStore.create(session.context.storeRoot, name, { managed: false })
  const claims = newOperatorClaims(key.publicKey, name)
  // Written once before the rest: accounts and users are checked against what the store holds.
  store.write(encode(claims, key))
  applyDates(claims, flags, null)
  let accountSigner = key
  if (flags.switch('generate-signing-key')) {
    accountSigner = createKeyPair('operator')
    session.keystore.store(accountSigner)
    claims.nats.signing_keys = [accountSigner.publicKey]
  }
  let system: SystemAccount | null = null
  if (flags.switch('sys')) {
    system = createSystemAccount(session, store, accountSigner)
    claims.nats.system_account = system.publicKey
  }
  if (session.signer === null) report.ok(`generated and stored operator key ${quote(key.publicKey)}`)
  store.write(encode(claims, key))
  report.ok(`added operator ${quote(name)}`)
  report.ok(SERVER_VERSION_LINE)
  if (system) {
    if (accountSigner !== key) report.ok(`created operator signing key: ${accountSigner.publicKey}`)
    report.ok(`created system_account: name:SYS id:${system.publicKey}`)
    report.ok(`created system account user: name:sys id:${system.userPublicKey}`)
    report.ok(`system account user creds file stored in ${session.shown(system.credsFile)}`)
  }
  return report
}

/** A new identity key, or the one that -K gives; that one is not stored. */
function operatorKey(session: Session, withSigningKey: boolean): KeyPair {
  if (session.signer === null) return createKeyPair('operator')
  if (withSigningKey) throw failure('signing key can not be added when importing the operator')
  const key = resolveKeyOfRole(
    session,
    session.signer,
    'operator',
    'specified key is not a valid operator nkey',
  )
  if (key.hasSeed) return key
  const stored = session.keystore.get(key.publicKey)
  if (!stored) throw failure('nkeys: can not sign, no private key available')
  return stored
}

// --- an operator that exists ---------------------------------------------------------------------------------

async function importOperator({ session, flags }: Call, given: string): Promise<Report> {
  const { source, content } = await load(session, flags.text('url'))
  const { token, claims } = readOperatorToken(content)
  if (flags.switch('sys'))
    throw failure('importing an operator is not compatible with system account generation')
  const claimName = claims.name ?? ''
  const name = given || (isHttpUrl(source) ? storeNameFor(session.io.env, source, claimName) : claimName)
  if (name === '') throw usageError('operator name is required')
  checkName(name)
  const report = new Report(name, { shows: 'details' })
  const known = operatorNames(session.context.storeRoot).includes(name)
  if (known && !flags.switch('force'))
    return withError(
      report,
      `operator named ${name} exists already please inspect and use --force to overwrite`,
    )
  const store = known
    ? OperatorStore.open(session.context.storeRoot, name)
    : OperatorStore.create(session.context.storeRoot, name, { managed: true })
  await withLock(store.dir, () => {
    if (store.hasOperator() && store.operator().sub !== claims.sub)
      report.warn('existing and new operator represent different entities, forced to continue')
    store.write(token)
  })
  report.ok(`imported operator ${quote(name)}`)
  report.ok(SERVER_VERSION_LINE)
  return report
}

/** A URL, a file, or the name of a well-known operator, in this order. */
async function load(session: Session, given: string): Promise<{ source: string; content: string }> {
  let source = given
  try {
    if (!isHttpUrl(source) && !exists(session.expand(source)))
      source = findWellKnown(session.io.env, source)?.url ?? source
    const content = isHttpUrl(source)
      ? await loadOperatorUrl(session.io.env, source)
      : readText(session.expand(source))
    return { source, content }
  } catch (thrown) {
    throw failure(`error reading ${backquote(source)}: ${textOf(thrown)}`, thrown)
  }
}

function withError(report: Report, text: string): Report {
  report.error(text)
  return report
}
