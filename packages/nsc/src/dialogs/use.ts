import type { Asker } from './asker.ts'

/** Commands that look at or use what is in the store: which account, which user. */

export async function onAccount(ask: Asker): Promise<void> {
  await ask.account()
}

export async function namedAccount(ask: Asker): Promise<void> {
  await ask.account('name')
}

export async function namedUser(ask: Asker): Promise<void> {
  await ask.account()
  await ask.user()
}

export async function tool(ask: Asker): Promise<void> {
  await ask.account()
  await ask.user('user')
}
