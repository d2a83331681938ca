import { isResolverUrl } from '../remote/account-server.ts'
import type { Asker } from './asker.ts'
import { asChoices } from './edit.ts'

export async function push(ask: Asker): Promise<void> {
  const onServers = ['prune', 'diff', 'account-removal'].some((flag) => ask.given(flag))
  if (!ask.given('all') && !onServers) {
    if (ask.session.store().accountNames().length > 1 && !ask.given('account'))
      await ask.confirm('all', 'push all accounts?', false)
    if (!ask.flags.switch('all')) await ask.account()
  }
  const url = ask.session.store().operator().nats.account_server_url ?? ''
  await ask.text('account-jwt-server-url', 'account server URL', { initial: url, required: url === '' })
  await systemUser(ask, ask.value('account-jwt-server-url') || url)
}

export async function pull(ask: Asker): Promise<void> {
  const url = ask.session.store().operator().nats.account_server_url ?? ''
  if (!ask.given('account'))
    await ask.confirm('all', 'pull the operator and all accounts?', isResolverUrl(url), false)
  if (!ask.flags.switch('all')) await ask.account()
  await systemUser(ask, url)
}

export async function validate(ask: Asker): Promise<void> {
  if (ask.given('file') || ask.given('all-accounts') || ask.given('account')) return
  if (ask.session.store().accountNames().length > 1)
    await ask.confirm('all-accounts', 'validate all accounts?', false)
  if (!ask.flags.switch('all-accounts')) await ask.account()
}

/** Servers that keep accounts themselves are asked as a user of the system account. */
async function systemUser(ask: Asker, url: string): Promise<void> {
  if (!ask.all || !isResolverUrl(url)) return
  const store = ask.session.store()
  const system = store.operator().nats.system_account
  const name = store.accountNames().find((account) => {
    try {
      return store.account(account).sub === system
    } catch {
      return false
    }
  })
  if (name === undefined) return
  await ask.choose(
    'system-user',
    'user of the system account',
    [{ value: '', label: 'a temporary one' }, ...asChoices(store.userNames(name))],
    { initial: '' },
  )
}
