import {
  type AccountClaims,
  createKeyPair,
  decodeAccount,
  encode,
  type KeyPair,
  keyPairFromSeed,
  newUserClaims,
  type OperatorClaims,
  roleOfSeed,
  undecorateJwt,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, NscError, textOf } from '../errors.ts'
import { exists, makeFolder } from '../files.ts'
import { checkName } from '../names.ts'
import { loadUrl, storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { withLock } from '../store/lock.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { findWellKnown, storeNameFor } from '../store/well-known.ts'
import { quote } from '../text.ts'
import { writeNatsContext } from './nats-context.ts'
import { loadOperatorUrl, readOperatorToken } from './operator-token.ts'
import { writeCreds } from './shared.ts'

/** What to load, from the profile URL or the flags. */
interface Plan {
  /** Name of the store, empty to take that of the operator. */
  operator: string
  url: string
  seed: string
  user: string
}

export async function run(call: Call): Promise<Report> {
  const { session } = call
  const plan = makePlan(call)
  if (plan.url === '') throw failure('missing account server URL')
  makeFolder(session.context.storeRoot)
  const { token, claims } = readOperatorToken(await loadOperatorUrl(session.io.env, plan.url))
  if (!claims.nats.account_server_url)
    throw failure(
      `error importing operator ${quote(plan.operator)} - it doesn't define an account server url`,
    )
  const name = plan.operator || storeNameFor(session.io.env, plan.url, claims.name ?? '')
  checkName(name)
  const report = Report.list()
  const pair = accountKey(plan.seed)
  const store = openStore(session, name, claims)
  await withLock(store.dir, async () => {
    store.write(token)
    session.context.setOperator(name)
    const account = await addAccount(session, store, claims, pair, report)
    addUser(session, store, account, pair, plan.user, report)
  })
  if (report.failed) return report
  const account = session.context.account
  const creds = session.keystore.credsPath(store.name, account, plan.user)
  const context = `${name}_${account}_${plan.user}`
  const [url] = claims.nats.operator_service_urls ?? []
  const nsc = `nsc://${name}/${account}/${plan.user}`
  writeNatsContext(session, context, url === undefined ? { nsc, creds } : { nsc, url, creds })
  report.ok(`created nats context ${quote(context)}`)
  return report
}

function makePlan({ session, flags }: Call): Plan {
  const plan = { operator: '', url: flags.text('url'), seed: flags.text('seed'), user: flags.text('user') }
  const profile = flags.text('profile')
  if (profile === '') return plan
  // The text may hold a seed: it is not repeated in the error.
  if (!URL.canParse(profile))
    throw failure('the profile is not a URL of the form nsc://<operator>?secret=<seed>')
  const { hostname, searchParams } = new URL(profile)
  const known = findWellKnown(session.io.env, decodeURIComponent(hostname))
  if (!known) {
    session.note(
      `Unable to find operator ${quote(hostname)}\n\n` +
        'If it is in a store of yours, choose that with `nsc env -s /path/to/stores`;\n' +
        `else say where its token is: NSC_${hostname}_OPERATOR=https://host/jwt/v1/operator\n`,
    )
    throw failure('operator not found')
  }
  return {
    operator: hostname,
    url: known.url,
    seed: searchParams.get('secret') ?? '',
    user: searchParams.get('user') || plan.user,
  }
}

function accountKey(seed: string): KeyPair {
  if (!seed.startsWith('SA')) throw failure('expected account seed to initialize')
  if (roleOfSeed(seed) !== 'account') throw failure('failed to parse account name as an nkey: invalid seed')
  return keyPairFromSeed(seed)
}

function openStore(session: Session, name: string, operator: OperatorClaims): OperatorStore {
  const { storeRoot } = session.context
  if (!operatorNames(storeRoot).includes(name))
    return OperatorStore.create(storeRoot, name, { managed: true })
  const store = OperatorStore.open(storeRoot, name)
  if (store.hasOperator() && store.operator().sub !== operator.sub)
    throw failure(
      `error a different operator named ${quote(name)} already exists -- specify --dir to create at a different location`,
    )
  return store
}

async function addAccount(
  session: Session,
  store: OperatorStore,
  operator: OperatorClaims,
  pair: KeyPair,
  report: Report,
): Promise<AccountClaims> {
  // The text of both is put together as it is: servers need no slash at its end.
  const url = `${operator.nats.account_server_url}/accounts/${pair.publicKey}`
  const token = undecorateJwt(await loadUrl(session.io.env, url)).trim()
  const account = decodeAccount(token)
  if (account.sub !== pair.publicKey)
    throw new NscError(
      'failed',
      `the account server answered with the jwt of another account: ${account.sub}`,
    )
  session.keystore.store(pair)
  try {
    report.add(await storeAccount(session, store, token))
  } catch (thrown) {
    report.error(textOf(thrown))
  }
  session.context.setAccount(account.name ?? '')
  return account
}

function addUser(
  session: Session,
  store: OperatorStore,
  { name: account = '' }: AccountClaims,
  signer: KeyPair,
  name: string,
  report: Report,
): void {
  checkName(name)
  if (store.hasUser(account, name)) {
    report.warn(`the user ${quote(name)} already exists`)
    const creds = session.keystore.credsPath(store.name, account, name)
    if (!exists(creds)) report.error(`user ${quote(name)} credentials not found at ${quote(creds)}`)
    return
  }
  const user = createKeyPair('user')
  const claims = newUserClaims(user.publicKey, name)
  session.keystore.store(user)
  store.write(encode(claims, signer))
  report.ok(`generated and stored user key ${quote(user.publicKey)}`)
  const creds = writeCreds(session, store, account, name)
  report.ok(`generated and stored user credentials at ${quote(creds)}`)
}
