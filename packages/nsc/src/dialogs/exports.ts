import { type Export, hasWildcard, isPublicKey, isSubsetMatch } from '@ngs/identity/node'
import { subjectError } from '../commands/shared.ts'
import { failure } from '../errors.ts'
import { usesHttpServer } from '../remote/account-server.ts'
import { knownAccounts } from '../session.ts'
import { quote } from '../text.ts'
import type { Asker } from './asker.ts'
import type { Choice } from './front.ts'

const RESPONSE_TYPES = ['Singleton', 'Stream', 'Chunked'].map((value) => ({ value, label: value }))

export async function addExport(ask: Asker): Promise<void> {
  await ask.account()
  const exports = ask.exports()
  if (!ask.given('service') && ask.all) {
    const kinds = [
      { value: 'stream', label: 'stream', hint: 'messages that others may listen to' },
      { value: 'service', label: 'service', hint: 'answers to the requests of others' },
    ]
    if ((await ask.pick('service', 'export a', kinds)) === 'service') ask.set('service', 'true')
  }
  const service = ask.flags.switch('service')
  await ask.text('subject', 'subject', {
    required: true,
    check: (text) =>
      subjectProblem(text) ??
      (exports.some(({ subject }) => subject === text) ? `${quote(text)} is exported already` : null),
  })
  await ask.text('name', 'name of the export', { initial: ask.value('subject') })
  await ask.confirm('private', 'private? Importers then need an activation token', false)
  if (service) {
    if (!ask.given('latency') && (await ask.decide('latency', 'measure the latency of the service?')))
      await latency(ask)
    await ask.choose('response-type', 'replies per request', RESPONSE_TYPES, { initial: 'Singleton' })
    await ask.text('response-threshold', 'longest time between replies', {
      placeholder: 'server default - or 500ms, 2s',
    })
    await ask.confirm('allow-trace', 'let messages be traced into this account?', false)
  }
  await ask.accountSigner()
}

async function latency(ask: Asker): Promise<void> {
  await ask.text('sampling', 'share of requests to measure: 1-100, or header', {
    required: true,
    check: (text) => {
      const share = Number(text)
      return text === 'header' || (Number.isInteger(share) && share >= 1 && share <= 100)
        ? null
        : '1-100, or header'
    },
  })
  await ask.text('latency', 'subject for the measurements', {
    required: true,
    check: (text) =>
      subjectProblem(text) ?? (hasWildcard(text) ? 'a subject without wildcards is needed' : null),
  })
}

export async function editExport(ask: Asker): Promise<void> {
  const target = await chosenExport(ask, 'export to edit')
  if (!ask.all || !target) return
  const service = await ask.confirm('service', 'a service (rather than a stream)?', target.type === 'service')
  await ask.text('name', 'name', { initial: target.name ?? '' })
  await ask.confirm('private', 'private? Importers then need an activation token', target.token_req ?? false)
  if (service) {
    if (target.service_latency) await ask.confirm('rm-latency-sampling', 'stop measuring latency?', false)
    else if (await ask.decide('latency', 'measure the latency of the service?')) await latency(ask)
    await ask.choose('response-type', 'replies per request', RESPONSE_TYPES, {
      initial: target.response_type || 'Singleton',
    })
    await ask.text('response-threshold', 'longest time between replies', {
      placeholder: 'unchanged - or 500ms, 2s',
    })
  }
  await ask.accountSigner()
  await ask.text('description', 'description', { initial: target.description ?? '' })
  await ask.text('info-url', 'link to more about the export', { initial: target.info_url ?? '' })
}

export async function deleteExport(ask: Asker): Promise<void> {
  await chosenExport(ask, 'export to delete')
  await ask.accountSigner()
}

export async function generateActivation(ask: Asker): Promise<void> {
  await ask.account()
  const shared = ask.exports().filter((entry) => entry.token_req)
  // What is missing is said by the command.
  if (shared.length === 0) return
  if (shared.length > 1) await ask.choose('subject', 'export', exportChoices(shared), { required: true })
  const chosen = shared.find(({ subject }) => subject === ask.value('subject')) ?? shared[0]
  if (chosen && hasWildcard(chosen.subject ?? '') && ask.all) {
    const part = await ask.decide('subject', `grant ${quote(chosen.subject ?? '')} only in part?`)
    if (part) await grantPart(ask, chosen.subject ?? '')
  }
  await targetAccount(ask, false)
  await ask.dates()
  await ask.signer(['account'])
  if (usesHttpServer(ask.session.store().operator()))
    await ask.confirm('push', 'send the token to the account server?', false)
}

async function grantPart(ask: Asker, whole: string): Promise<void> {
  const answer = await ask.answer(
    'subject',
    'subject to grant',
    (text) => subjectProblem(text) ?? (isSubsetMatch(text, whole) ? null : `it must lie in ${quote(whole)}`),
  )
  ask.set('subject', answer)
}

/** The importing account: one of this machine, or the key of somebody else's. */
export async function targetAccount(ask: Asker, everyone: boolean): Promise<void> {
  const own = ask.accountClaims()?.sub
  const options: Choice[] = [...knownAccounts(ask.session.context)]
    .filter(({ account }) => account.sub !== own)
    .map(({ account }) => ({ value: account.sub, label: account.name ?? account.sub, hint: account.sub }))
  if (everyone) options.unshift({ value: '*', label: 'all accounts' })
  if (options.length > 0) {
    options.push({ value: '', label: 'Other...', hint: 'by its public key' })
    await ask.choose('target-account', 'importing account', options, { required: true })
    if (ask.value('target-account') !== '') return
  }
  await ask.text('target-account', 'public key of the importing account', {
    required: true,
    check: (text) =>
      isPublicKey(text, 'account') || (everyone && text === '*') ? null : 'an account public key (A...)',
  })
}

/** The export to work on; the only one goes without saying. */
async function chosenExport(ask: Asker, message: string): Promise<Export | null> {
  await ask.account()
  const exports = ask.exports()
  const { account } = ask.session.context
  if (ask.all && account !== '' && exports.length === 0)
    throw failure(`account ${quote(account)} doesn't have exports`)
  if (exports.length > 1) await ask.choose('subject', message, exportChoices(exports), { required: true })
  return (
    exports.find(({ subject }) => subject === ask.value('subject')) ??
    (exports.length === 1 ? exports[0] : null) ??
    null
  )
}

export function exportChoices(exports: readonly Export[]): Choice[] {
  return exports.map(({ subject = '', name, type, token_req }) => ({
    value: subject,
    label: subject,
    hint: `${token_req ? 'private' : 'public'} ${type}${name && name !== subject ? `, ${name}` : ''}`,
  }))
}

export function subjectProblem(text: string): string | null {
  return subjectError(text)
}
