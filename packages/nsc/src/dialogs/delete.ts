import { declined } from '../errors.ts'
import type { Asker } from './asker.ts'

export async function deleteAccount(ask: Asker): Promise<void> {
  // Deleting takes an explicit choice: the current account is only suggested.
  await ask.account('name', 'account to delete')
  const { context } = ask.session
  await ask.confirm('revoke', 'revoke its users?', true)
  await keys(ask, 'the account and its users')
  if (ask.session.store().managed && !ask.given('force')) {
    const message =
      'the operator may need the token or keys of the account to cancel a service - delete anyway?'
    if (await ask.decide('force', message)) ask.set('force', 'true')
    else if (ask.all) throw declined()
  } else await sure(ask, `delete the account ${context.account}?`)
}

export async function deleteUser(ask: Asker): Promise<void> {
  await ask.account()
  await ask.chooseMany('name', 'users to delete', ask.given('name') ? [] : ask.usersThere(), true)
  await ask.confirm('revoke', 'revoke them? Without it their creds files go on working', false)
  await keys(ask, 'the users')
  await sure(ask, `delete ${ask.flags.list('name').concat(ask.args).join(', ')}?`)
  if (ask.flags.switch('revoke')) await ask.accountSigner()
}

async function keys(ask: Asker, whose: string): Promise<void> {
  await ask.confirm('rm-nkey', `delete the keys of ${whose}? They cannot be recovered`, false)
  await ask.confirm('rm-creds', `delete the creds files of ${whose}?`, false)
}

async function sure(ask: Asker, message: string): Promise<void> {
  if (ask.all && !(await ask.decide('name', message))) throw declined()
}
