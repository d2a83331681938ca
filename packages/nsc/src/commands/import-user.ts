import {
  decodeUser,
  didSign,
  keyPairFromSeed,
  parseCreds,
  type UserClaims,
  undecorateJwt,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { backquote } from '../text.ts'
import { collision, isRefused, readImport } from './import-shared.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  const file = flags.text('file')
  const content = readImport(call, ['.jwt', '.creds']).trim()
  const report = Report.list({ summarizes: true })
  let token = content
  let seed: string | null = null
  if (!content.startsWith('ey')) ({ token, seed } = readCreds(`${content}\n`, file, report))
  let user: UserClaims
  try {
    user = decodeUser(token)
  } catch (thrown) {
    report.error(`failed to decode ${backquote(file)}: ${textOf(thrown)}`)
    return report
  }
  if (isRefused(user, flags.switch('skip'), report)) return report
  await withLock(store.dir, () => importUser(session, store, { token, seed, user }, call, report))
  return report
}

function importUser(
  session: Session,
  store: OperatorStore,
  { token, seed, user }: { token: string; seed: string | null; user: UserClaims },
  { flags }: Call,
  report: Report,
): void {
  const name = user.name ?? ''
  const owner = user.nats.issuer_account || user.iss
  const account = accountOf(store, owner)
  if (account === null) return report.error(`referenced Account ${owner} not found, import first`)
  if (store.hasUser(account, name)) {
    const problem = collision('User', () => store.user(account, name), user, flags.switch('overwrite'))
    if (problem !== null) return report.error(problem)
  }
  if (!didSign(store.account(account), user))
    return report.error('can only import user signed by exiting account. Possibly update your account')
  try {
    if (seed !== null) report.ok(`key stored ${session.keystore.store(keyPairFromSeed(seed))}`)
  } catch (thrown) {
    return report.error(`key could not be stored: ${textOf(thrown)}`)
  }
  try {
    store.write(token)
    report.ok(`user ${name} was successfully imported`)
  } catch (thrown) {
    report.error(`Error when storing user: ${textOf(thrown)}`)
    report.error(`user ${name} was not imported: ${textOf(thrown)}`)
  }
}

/** Token and seed of a creds file. A seed that cannot be read, or is that of another user, is left out. */
function readCreds(content: string, file: string, report: Report): { token: string; seed: string | null } {
  const token = undecorateJwt(content)
  try {
    const { seed } = parseCreds(content)
    if (seed === null) throw failure('no user seed found')
    if (keyPairFromSeed(seed).publicKey === decodeUser(token).sub) return { token, seed }
    report.warn(`the key in ${backquote(file)} is not that of the user`)
  } catch (thrown) {
    report.warn(`failed to parse decorated key in ${backquote(file)}: ${textOf(thrown)}`)
  }
  return { token, seed: null }
}

function accountOf(store: OperatorStore, publicKey: string): string | null {
  for (const name of store.accountNames()) {
    try {
      if (store.account(name).sub === publicKey) return name
    } catch {
      // A damaged neighbour does not matter here.
    }
  }
  return null
}
