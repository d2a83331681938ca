import type { AccountClaims } from '@ngs/identity/node'
import { signingKeys } from '../signing.ts'
import { keyProblem } from './add.ts'
import type { Asker } from './asker.ts'
import { subjectProblem } from './exports.ts'

export async function editOperator(ask: Asker): Promise<void> {
  const store = ask.session.store()
  const { nats } = store.operator()
  await ask.dates()
  await ask.tags(nats.tags)
  await ask.text('account-jwt-server-url', 'account server URL', { initial: nats.account_server_url ?? '' })
  await ask.text('service-url', 'add service URLs, comma-separated', { placeholder: 'nats://host:4222' })
  const urls = nats.operator_service_urls ?? []
  if (urls.length > 0 && (await ask.decide('rm-service-url', `remove service URLs (${urls.join(', ')})?`)))
    await ask.chooseMany('rm-service-url', 'service URLs to remove', asChoices(urls))
  const accounts = store.accountNames()
  const system = accounts.find((name) => accountKey(ask, name) === nats.system_account)
  if (accounts.length > 0)
    await ask.choose(
      'system-account',
      'system account',
      [...(system === undefined ? [{ value: '', label: 'none' }] : []), ...asChoices(accounts)],
      { initial: system ?? '' },
    )
  await changeKeys(ask, 'operator', nats.signing_keys ?? [])
  if (ask.all) await ask.signer(['operator'])
}

function accountKey(ask: Asker, name: string): string | null {
  try {
    return ask.session.store().account(name).sub
  } catch {
    return null
  }
}

const LIMITS: readonly [flag: string, key: keyof AccountClaims['nats']['limits'] & string, ask: string][] = [
  ['conns', 'conn', 'connections'],
  ['leaf-conns', 'leaf', 'leaf node connections'],
  ['data', 'data', 'data in bytes'],
  ['exports', 'exports', 'exports'],
  ['imports', 'imports', 'imports'],
  ['payload', 'payload', 'message payload in bytes'],
  ['subscriptions', 'subs', 'subscriptions'],
]

export async function editAccount(ask: Asker): Promise<void> {
  await ask.account('name', 'account to edit')
  const account = ask.accountClaims()
  if (!ask.all || !account) return
  const { nats } = account
  await changeKeys(ask, 'account', signingKeys(account))
  for (const [flag, key, what] of LIMITS)
    await ask.text(flag, `max ${what} (-1 is unlimited)`, { initial: String(nats.limits[key] ?? -1) })
  await jetStream(ask)
  await ask.dates()
  await ask.tags(nats.tags)
  await ask.accountSigner()
  await ask.text('description', 'description', { initial: nats.description ?? '' })
  await ask.text('info-url', 'link to more about the account', { initial: nats.info_url ?? '' })
  if (
    await ask.decide(
      'trace-context-subject',
      'trace messages that carry a trace context?',
      Boolean(nats.trace),
    )
  ) {
    await ask.text('trace-context-subject', 'subject for traces', {
      required: true,
      initial: nats.trace?.dest ?? '',
      check: subjectProblem,
    })
    await ask.text('trace-context-sampling', 'percentage that is traced, 1-100', {
      initial: String(nats.trace?.sampling ?? 100),
    })
  }
}

async function jetStream(ask: Asker): Promise<void> {
  const asked = ['js-disk-storage', 'js-mem-storage', 'js-enable', 'js-disable', 'js-tier', 'rm-js-tier']
  if (
    asked.some((flag) => ask.given(flag)) ||
    !(await ask.decide('js-disk-storage', 'change JetStream limits?'))
  )
    return
  await ask.text('js-tier', 'replication tier (0: all)', { initial: '0' })
  await ask.text('js-disk-storage', 'bytes on disk, such as 10G', { initial: '0' })
  await ask.text('js-mem-storage', 'bytes in memory', { initial: '0' })
  await ask.text('js-streams', 'max streams (-1 is unlimited)', { initial: '-1' })
  await ask.text('js-consumer', 'max consumers (-1 is unlimited)', { initial: '-1' })
}

export async function editUser(ask: Asker): Promise<void> {
  await ask.account()
  await ask.user()
  if (!ask.all) return
  const { context } = ask.session
  const store = ask.session.store()
  const name = ask.value('name') || (store.onlyUser(context.account) ?? '')
  const user = store.hasUser(context.account, name) ? store.user(context.account, name) : null
  await ask.signer(['account'])
  await ask.text('payload', 'max message payload in bytes (-1 is unlimited)', {
    initial: String(user?.nats.payload ?? -1),
  })
  await ask.dates()
  await ask.tags(user?.nats.tags)
}

async function changeKeys(
  ask: Asker,
  role: 'operator' | 'account',
  current: readonly string[],
): Promise<void> {
  if (!ask.given('sk') && (await ask.decide('sk', 'add a signing key?')))
    await ask.text('sk', 'signing key: public key, seed or file, or the word generate for a new one', {
      required: true,
      placeholder: 'generate',
      check: (text) => (text === 'generate' ? null : keyProblem(ask, text, role)),
    })
  if (current.length > 0 && !ask.given('rm-sk') && (await ask.decide('rm-sk', 'remove signing keys?')))
    await ask.chooseMany('rm-sk', 'signing keys to remove', asChoices(current))
}

export function asChoices(values: readonly string[]): { value: string; label: string }[] {
  return values.map((value) => ({ value, label: value }))
}
