import { createCurveKeyPair, createKeyPair } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'

const ROLES = ['operator', 'account', 'user', 'curve'] as const

/** Prints seed and public key of each new key; with --store the seed goes to the keystore instead. */
export function run({ session, flags }: Call): undefined {
  const roles = ROLES.filter((role) => flags.switch(role))
  if (!flags.hasAny(...ROLES)) throw failure('set --operator, --account, --user, or --curve')
  for (const role of roles) {
    const pair = role === 'curve' ? createCurveKeyPair() : createKeyPair(role)
    if (flags.switch('store')) {
      const file = session.keystore.store(pair)
      session.print(`${pair.publicKey}\n${role} key stored ${file}\n`)
    } else session.print(`${pair.seed}\n${pair.publicKey}\n`)
  }
}
