import { isPublicKey, type KeyRole } from '@ngs/identity/node'
import { textOf } from '../errors.ts'
import { resolveKeyText } from '../keystore/keystore.ts'
import { operatorNames } from '../store/operator-store.ts'
import { type Asker, newName } from './asker.ts'

export async function addOperator(ask: Asker): Promise<void> {
  const { context } = ask.session
  if (
    !ask.given('name') &&
    !ask.given('url') &&
    (await ask.decide('url', 'import an operator from a token?'))
  )
    await ask.text('url', 'file, URL or well-known name', { required: true })
  if (ask.given('url')) return
  const taken = operatorNames(context.storeRoot)
  await ask.text('name', 'operator name', { required: true, check: newName(taken, 'operator') })
  await ask.dates()
  await ask.confirm('sys', 'make a system account and its user?', true, false)
  await ask.confirm('generate-signing-key', 'make a signing key?', true, false)
}

export async function addAccount(ask: Asker): Promise<void> {
  const taken = ask.session.store().accountNames()
  await ask.text('name', 'account name', { required: true, check: newName(taken, 'account', false) })
  await ownKey(ask, 'account')
  await ask.dates()
  await ask.accountSigner()
}

export async function addUser(ask: Asker): Promise<void> {
  await ask.account()
  const taken = ask.users().map(({ value }) => value)
  await ask.text('name', 'user name', { required: true, check: newName(taken, 'user') })
  await ownKey(ask, 'user')
  await ask.dates()
  await ask.signer(['account'])
}

/** A new key, or one that its owner has made. */
async function ownKey(ask: Asker, role: KeyRole): Promise<void> {
  if (ask.given('public-key') || (await ask.decide('public-key', `generate the ${role}'s key?`, true))) return
  await ask.text('public-key', `${role} key: public key, seed or file`, {
    required: true,
    check: (text) => keyProblem(ask, text, role),
  })
}

/** Why a text is no key of that role: neither one itself nor a file with one. */
export function keyProblem(ask: Asker, text: string, role: KeyRole): string | null {
  try {
    const key = resolveKeyText(text, (file) => ask.session.expand(file))
    return key && isPublicKey(key.publicKey, role)
      ? null
      : `not a key of that kind (${role}), nor a file that holds one`
  } catch (thrown) {
    return textOf(thrown)
  }
}
