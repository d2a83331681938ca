import type { SharingKind } from '@ngs/identity/node'
import { ALL, isPublicKey } from '@ngs/identity/node'
import type { Asker } from './asker.ts'
import { exportChoices, targetAccount } from './exports.ts'
import type { Choice } from './front.ts'

const NOW = 'now - or a moment: 2026-01-31T00:00:00Z, or unix seconds'

export async function addUser(ask: Asker): Promise<void> {
  await ask.account()
  if (ask.given('name') || ask.given('user-public-key')) return finish(ask)
  const options: Choice[] = [
    ...ask.users().map(({ value }) => ({ value: `name ${value}`, label: value })),
    { value: '', label: 'Other...', hint: 'by the public key' },
    // Last: it is not what return alone should mean.
    { value: `key ${ALL}`, label: 'all users', hint: 'issued before now' },
  ]
  if (!ask.all && ask.users().length === 1) return
  const [how, value = ''] = split(await ask.pick('name', 'user to revoke', options))
  if (how === 'name') ask.set('name', value)
  else if (how === 'key') ask.set('user-public-key', value)
  else
    await ask.text('user-public-key', 'public key of the user', {
      required: true,
      check: (text) => (isPublicKey(text, 'user') ? null : 'a user public key (U...)'),
    })
  await finish(ask)
}

function split(text: string): [string, string] {
  const at = text.indexOf(' ')
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

async function finish(ask: Asker): Promise<void> {
  await ask.text('at', 'revoke what was issued up to', { placeholder: NOW })
  await ask.accountSigner()
}

export async function deleteUser(ask: Asker): Promise<void> {
  await ask.account()
  if (!ask.given('name')) {
    const revoked = Object.keys(ask.accountClaims()?.nats.revocations ?? {})
    if (revoked.length > 0)
      await ask.choose('user-public-key', 'revocation to take back', named(ask, revoked), {
        required: revoked.length > 1,
      })
  }
  await ask.accountSigner()
}

/** Keys of users with their names where this store has them. */
function named(ask: Asker, keys: readonly string[]): Choice[] {
  const { context } = ask.session
  const names = new Map<string, string>()
  for (const { value } of ask.users()) {
    try {
      names.set(ask.session.store().user(context.account, value).sub, value)
    } catch {
      // An unreadable user has no key to compare.
    }
  }
  return keys.map((key) => ({
    value: key,
    label: key === ALL ? 'all users' : (names.get(key) ?? key),
    hint: key,
  }))
}

export async function addActivation(ask: Asker): Promise<void> {
  if (!(await chosenExport(ask))) return
  await targetAccount(ask, true)
  await finish(ask)
}

export async function deleteActivation(ask: Asker): Promise<void> {
  const kind = await chosenExport(ask)
  if (!kind) return
  const chosen = ask
    .exports()
    .filter(({ type }) => type === kind)
    .find(({ subject }, _index, all) => subject === ask.value('subject') || all.length === 1)
  const revoked = Object.keys(chosen?.revocations ?? {})
  if (revoked.length > 0)
    await ask.choose(
      'target-account',
      'revocation to take back',
      revoked.map((key) => ({ value: key, label: key === ALL ? 'all accounts' : key })),
      { required: true },
    )
  await ask.accountSigner()
}

/** The export whose importers are meant; streams unless said otherwise or there are only services. */
async function chosenExport(ask: Asker): Promise<SharingKind | null> {
  await ask.account()
  const exports = ask.exports()
  if (!ask.given('service')) {
    const kinds = new Set(exports.map(({ type }) => type))
    if (kinds.size === 1 && kinds.has('service') && (ask.all || !ask.given('subject')))
      ask.set('service', 'true')
    else if (kinds.size > 1) await ask.confirm('service', 'a service (rather than a stream)?', false)
  }
  const kind = ask.flags.switch('service') ? 'service' : 'stream'
  const ofKind = exports.filter(({ type }) => type === kind)
  if (ofKind.length === 0) return null
  if (ofKind.length > 1) await ask.choose('subject', 'export', exportChoices(ofKind), { required: true })
  return kind
}
