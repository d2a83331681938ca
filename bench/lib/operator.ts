// A configuration in operator mode with accounts and users, made for one run.
import { writeFileSync } from 'node:fs'
import { createKeyPair, encode, newAccountClaims, newOperatorClaims, newUserClaims } from '@ngs/identity/node'
import type { User } from '../load/users.ts'

/** Lines for the configuration file with `accounts` accounts, whose `users` users in turn are written to `file`. */
export function operatorConfig(accounts: number, users: number, file: string): string {
  const operatorKey = createKeyPair('operator')
  const operator = newOperatorClaims(operatorKey.publicKey, 'O')
  const systemKey = createKeyPair('account')
  operator.nats.system_account = systemKey.publicKey
  const keys = Array.from({ length: accounts }, () => createKeyPair('account'))
  const preload = [systemKey, ...keys].map(
    (key, i) =>
      `${key.publicKey}: ${encode(newAccountClaims(key.publicKey, i === 0 ? 'SYS' : `A${i}`), operatorKey)}`,
  )
  const list: User[] = Array.from({ length: users }, (_, i) => {
    const user = createKeyPair('user')
    return {
      jwt: encode(newUserClaims(user.publicKey, `U${i}`), keys[i % accounts]!),
      seed: user.seed,
    }
  })
  writeFileSync(file, JSON.stringify(list))
  return `operator: ${encode(operator, operatorKey)}\nresolver: MEMORY\nresolver_preload {\n${preload.join('\n')}\n}\n`
}
