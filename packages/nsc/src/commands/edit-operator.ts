import { encode, isPublicKey, type OperatorClaims, validate } from '@ngs/identity/node'
import { isSet } from '../claims/jetstream.ts'
import type { FlagValues } from '../cli/flags.ts'
import type { Call } from '../cli/spec.ts'
import { failure, textOf, usageError } from '../errors.ts'
import { Report } from '../report.ts'
import { findSigner } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'
import { addAll, removeAll, setList } from '../values.ts'
import { applyDates, applyTags, checkDates, checkSigningKeys, resolveSigningKeys } from './shared.ts'

const EDIT_FLAGS = [
  ...[
    'sk',
    'rm-sk',
    'start',
    'expiry',
    'tag',
    'rm-tag',
    'account-jwt-server-url',
    'rm-account-jwt-server-url',
  ],
  ...['service-url', 'rm-service-url', 'system-account', 'require-signing-keys'],
]

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  // Whoever was asked and left all as it is gets the same content signed anew.
  if (!flags.hasAny(...EDIT_FLAGS) && !session.interactive) throw usageError('specify an edit option')
  if (!store.hasOperator()) throw failure(`no operator ${quote(store.name)} found`)
  return withLock(store.dir, () => editOperator(call, store))
}

function editOperator({ session, flags }: Call, store: OperatorStore): Report {
  const claims = store.operator()
  const { nats } = claims
  checkDates(flags)
  const added = flags.list('service-url').map((url) => url.toLowerCase())
  const removed = flags.list('rm-service-url').map((url) => url.toLowerCase())
  checkServiceUrls(claims, flags.list('service-url'))
  const system =
    flags.text('system-account') === '' ? null : systemAccountKey(store, flags.text('system-account'))
  const strict = flags.has('require-signing-keys')
    ? flags.switch('require-signing-keys')
    : (nats.strict_signing_key_usage ?? false)
  if (strict) checkAllFromSigningKeys(store, claims)
  checkSigningKeys(session, flags.list('sk'), 'operator')
  const signer = findSigner(session, { store, roles: ['operator'] })

  const report = Report.list()
  applyDates(claims, flags, report)
  applyTags(nats, flags.list('tag'), flags.list('rm-tag'), report)
  const keys = resolveSigningKeys(session, flags.list('sk'), 'operator')
  setList(nats, 'signing_keys', removeAll(addAll(nats.signing_keys, keys), flags.list('rm-sk')))
  for (const key of keys) report.ok(`added signing key ${quote(key)}`)
  for (const key of flags.list('rm-sk')) report.ok(`removed signing key ${quote(key)}`)
  if (strict !== (nats.strict_signing_key_usage ?? false)) {
    if (strict) nats.strict_signing_key_usage = true
    else delete nats.strict_signing_key_usage
    report.ok(`strict signing key usage set to: ${strict}`)
  }
  if (strict && !nats.signing_keys?.length) throw failure('operator requires at least one signing key')
  applyAccountServer(nats, flags, report)
  if (system !== null && system !== (nats.system_account ?? '')) {
    nats.system_account = system
    report.ok(`set system account ${quote(system)}`)
  }
  setList(nats, 'operator_service_urls', removeAll(addAll(nats.operator_service_urls, added), removed))
  for (const url of flags.list('service-url')) report.ok(`added service url ${quote(url)}`)
  for (const url of flags.list('rm-service-url')) report.ok(`removed service url ${quote(url)}`)
  const token = encode(claims, signer)
  try {
    store.write(token)
  } catch (thrown) {
    report.error(textOf(thrown))
  }
  report.ok(`edited operator ${quote(claims.name ?? '')}`)
  return report
}

function applyAccountServer(nats: OperatorClaims['nats'], flags: FlagValues, report: Report): void {
  const url = flags.text('account-jwt-server-url')
  if (url !== '') nats.account_server_url = url
  if (flags.has('account-jwt-server-url')) report.ok(`set account jwt server url to ${quote(url)}`)
  if (flags.switch('rm-account-jwt-server-url')) delete nats.account_server_url
  if (flags.has('rm-account-jwt-server-url')) report.ok('removed account server url')
}

/** The validation of the operator's claims knows what a service URL may be. */
function checkServiceUrls(claims: OperatorClaims, urls: readonly string[]): void {
  const probe: OperatorClaims = {
    ...claims,
    nats: { type: 'operator', version: 2, operator_service_urls: [...urls] },
  }
  const wrong = validate(probe).find((issue) => issue.path?.startsWith('operator_service_urls'))
  if (wrong) throw failure(wrong.text)
}

function systemAccountKey(store: OperatorStore, given: string): string {
  if (isPublicKey(given, 'account')) return given
  const account = store.account(given)
  const advice = `run ${quote(`nsc edit account ${account.name} --js-disable`)} first`
  if (account.nats.limits.tiered_limits)
    throw failure(`system accounts cannot have tiered JetStream limits - ${advice}`)
  if (isSet(account.nats.limits)) throw failure(`system accounts cannot have JetStream limits - ${advice}`)
  return account.sub
}

/** A strict operator's servers refuse accounts and users issued by identity keys: none may be left. */
function checkAllFromSigningKeys(store: OperatorStore, operator: OperatorClaims): void {
  for (const name of store.accountNames()) {
    const account = store.account(name)
    if (account.iss === operator.sub)
      throw failure(`account ${quote(name)} needs to be issued with a signing key first`)
    for (const user of store.userNames(name))
      if (store.user(name, user).iss === account.sub)
        throw failure(
          `user ${quote(user)} in account ${quote(name)} needs to be issued with a signing key first`,
        )
  }
}
