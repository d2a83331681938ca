import { type AccountClaims, createKeyPair, encode, type KeyPair, newAccountClaims } from '@ngs/identity/node'
import type { Session } from '../session.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { createUser } from './shared.ts'

const INFO_URL = 'https://docs.nats.io/nats-server/configuration/sys_accounts'

/** What every account may see of itself: the exports that each system account is made with. */
const EXPORTS: AccountClaims['nats']['exports'] = [
  {
    name: 'account-monitoring-services',
    subject: '$SYS.REQ.ACCOUNT.*.*',
    type: 'service',
    response_type: 'Stream',
    account_token_position: 4,
    description: 'Request account specific monitoring services for: SUBSZ, CONNZ, LEAFZ, JSZ and INFO',
    info_url: INFO_URL,
  },
  {
    name: 'account-monitoring-streams',
    subject: '$SYS.ACCOUNT.*.>',
    type: 'stream',
    account_token_position: 3,
    description: 'Account specific monitoring stream',
    info_url: INFO_URL,
  },
]

/** Keys and files of a new system account. */
export interface SystemAccount {
  publicKey: string
  userPublicKey: string
  credsFile: string
}

/** Makes the system account SYS with a signing key and the user sys, issued by that key. */
export function createSystemAccount(
  session: Session,
  store: OperatorStore,
  operator: KeyPair,
): SystemAccount {
  const identity = createKeyPair('account')
  const signing = createKeyPair('account')
  session.keystore.store(identity)
  session.keystore.store(signing)
  const claims = newAccountClaims(identity.publicKey, 'SYS')
  claims.nats.signing_keys = [signing.publicKey]
  claims.nats.exports = EXPORTS ?? []
  store.write(encode(claims, operator))
  const account = { name: 'SYS', publicKey: identity.publicKey }
  const user = createUser(session, store, account, 'sys', signing)
  return { publicKey: identity.publicKey, userPublicKey: user.publicKey, credsFile: user.credsFile }
}
