import { type AccountClaims, decodeAccount, encode, type KeyPair, undecorateJwt } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { findSigner, operatorSigners } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { backquote } from '../text.ts'
import { collision, isRefused, readImport } from './import-shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  const token = undecorateJwt(readImport(call, ['.jwt'])).trim()
  const signer = store.managed ? null : operatorSigner(session, store)
  const report = Report.list({ summarizes: true })
  let account: AccountClaims
  try {
    account = decodeAccount(token)
  } catch (thrown) {
    report.error(`failed to decode ${backquote(flags.text('file'))}: ${textOf(thrown)}`)
    return report
  }
  const name = account.name ?? ''
  if (isRefused(account, flags.switch('skip'), report)) return report
  await withLock(store.dir, async () => {
    if (store.hasAccount(name)) {
      const problem = collision('Account', () => store.account(name), account, flags.switch('overwrite'))
      if (problem !== null) return report.error(problem)
    }
    const accepted = tokenToStore(store, account, token, signer, flags.switch('force'))
    if ('refusal' in accepted) return report.error(accepted.refusal)
    try {
      report.add(await storeAccount(session, store, accepted.token))
      report.ok(`account ${name} was successfully imported`)
    } catch (thrown) {
      report.error(`error when storing account: ${textOf(thrown)}`)
      report.error(`account ${name} was not imported: ${textOf(thrown)}`)
    }
  })
  return report
}

function operatorSigner(session: Session, store: OperatorStore): KeyPair {
  const signer = findSigner(session, { store, roles: ['operator'] })
  if (!operatorSigners(store.operator()).includes(signer.publicKey)) throw failure('invalid account signer')
  return signer
}

/** The token as it is, or signed by the operator where that is its right; else why it cannot be stored. */
function tokenToStore(
  store: OperatorStore,
  account: AccountClaims,
  token: string,
  signer: KeyPair | null,
  force: boolean,
): { token: string } | { refusal: string } {
  const { sub, nats } = store.operator()
  const isOwn = [sub, ...(nats.signing_keys ?? [])].includes(account.iss)
  const isSelfSigned = account.iss === account.sub
  if (signer === null && isSelfSigned)
    return { refusal: 'only a non managed store can import a self signed account' }
  if (signer !== null && (isSelfSigned || (!isOwn && force))) return { token: encode(account, signer) }
  if (isOwn) return { token }
  return { refusal: 'can only import account signed by same operator. Possibly update your operator' }
}
