import {
  type AccountClaims,
  type Export,
  encode,
  hasWildcard,
  isPublicKey,
  isSubsetMatch,
  newActivationClaims,
} from '@ngs/identity/node'
import { knownAccounts } from '../session.ts'
import { findSigner } from '../signing.ts'
import { quote } from '../text.ts'
import type { Asker } from './asker.ts'
import { subjectProblem } from './exports.ts'
import type { Choice } from './front.ts'

export async function addImport(ask: Asker): Promise<void> {
  await ask.account()
  await source(ask)
  await ask.text('name', 'name of the import', { initial: ask.value('remote-subject') })
  await ask.text('local-subject', 'subject in this account', {
    placeholder: ask.value('remote-subject') || 'as the exporter has it',
    check: subjectProblem,
  })
  if (ask.flags.switch('service')) await ask.confirm('share', 'tell the service who asks?', false)
  else if (!ask.given('token'))
    await ask.confirm('allow-trace', 'let messages be traced into this account?', false)
  await ask.accountSigner()
}

interface Offer {
  account: AccountClaims
  entry: Export
}

/** What to import: an export of an account on this machine, or one that the owner has told about. */
async function source(ask: Asker): Promise<void> {
  if (ask.given('token') || (ask.given('src-account') && ask.given('remote-subject'))) return
  const offers = ask.given('src-account') || ask.given('remote-subject') ? [] : offersFor(ask)
  if (offers.length > 0) {
    const options: Choice[] = offers.map(({ account, entry }, index) => ({
      value: String(index),
      label: `${account.name}: ${entry.subject}`,
      hint: `${entry.token_req ? 'private' : 'public'} ${entry.type}`,
    }))
    options.push({ value: '', label: 'Other...', hint: 'of an account that is not on this machine' })
    const offer = offers[Number((await ask.pick('src-account', 'import', options)) || -1)]
    if (offer) return takeOffer(ask, offer)
  }
  const kinds = [
    { value: 'public', label: 'a public export', hint: 'by account and subject' },
    { value: 'private', label: 'a private export', hint: 'by its activation token' },
  ]
  const isPrivate = ask.given('src-account') ? 'public' : await ask.pick('token', 'import', kinds)
  if (isPrivate === 'private') return ask.text('token', 'activation token: file or URL', { required: true })
  await ask.text('src-account', 'public key of the exporting account', {
    required: true,
    check: (text) => (isPublicKey(text, 'account') ? null : 'an account public key (A...)'),
  })
  await ask.text('remote-subject', 'subject as the exporting account has it', {
    required: true,
    check: subjectProblem,
  })
  await ask.confirm('service', 'is it a service?', false)
}

/** Exports of other accounts on this machine that the account does not import yet. */
function offersFor(ask: Asker): Offer[] {
  const own = ask.accountClaims()
  const offers: Offer[] = []
  for (const { account } of knownAccounts(ask.session.context)) {
    if (account.sub === own?.sub) continue
    for (const entry of account.nats.exports ?? []) {
      if (!entry) continue
      const known = ask
        .imports()
        .some(
          (other) =>
            other.account === account.sub && other.subject === entry.subject && other.type === entry.type,
        )
      if (!known) offers.push({ account, entry })
    }
  }
  return offers
}

async function takeOffer(ask: Asker, { account, entry }: Offer): Promise<void> {
  const whole = entry.subject ?? ''
  let subject = whole
  // A service is imported for one subject, or for all that it answers.
  if (hasWildcard(whole) && entry.type === 'service') {
    const all = await ask.decide('remote-subject', `import all of ${quote(whole)}?`, true)
    if (!all)
      subject = await ask.answer(
        'remote-subject',
        `subject within ${whole}`,
        (text) =>
          subjectProblem(text) ?? (isSubsetMatch(text, whole) ? null : `it must lie in ${quote(whole)}`),
      )
  }
  if (entry.type === 'service') ask.set('service', 'true')
  if (entry.token_req) return ask.set('token', activationFor(ask, account, entry, subject))
  ask.set('src-account', account.sub)
  ask.set('remote-subject', subject)
}

/** The exporting account is on this machine too, so its key grants the import here and now. */
function activationFor(ask: Asker, account: AccountClaims, entry: Export, subject: string): string {
  const { session } = ask
  const claims = newActivationClaims(ask.accountClaims()?.sub ?? '', subject)
  claims.nats.subject = subject
  claims.nats.kind = entry.type === 'service' ? 'service' : 'stream'
  const signer = findSigner(session, { store: session.store(), roles: ['account'], account })
  if (signer.publicKey !== account.sub) claims.nats.issuer_account = account.sub
  return encode(claims, signer)
}

export async function deleteImport(ask: Asker): Promise<void> {
  await ask.account()
  const imports = ask.imports()
  if (imports.length > 1 && !ask.given('subject')) {
    const options = imports.map(({ subject = '', type, account = '' }, index) => ({
      value: String(index),
      label: subject,
      hint: `${type} of ${account}`,
    }))
    const gone = imports[Number(await ask.pick('subject', 'import to delete', options))]
    ask.set('subject', gone?.subject ?? '')
    if (imports.filter(({ subject }) => subject === gone?.subject).length > 1)
      ask.set('src-account', gone?.account ?? '')
  }
  await ask.accountSigner()
}
