import { createKeyPair, encode, type KeyPair, newAccountClaims, newOperatorClaims } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { makeFolder } from '../files.ts'
import { checkName, randomName } from '../names.ts'
import { storeAccount } from '../remote/account-server.ts'
import { RemoteText, Report } from '../report.ts'
import type { Session } from '../session.ts'
import { withLock } from '../store/lock.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { findWellKnown, storeNameFor } from '../store/well-known.ts'
import { backquote, quote } from '../text.ts'
import { addSigningKeyIfStrict } from './add-account.ts'
import { loadOperatorUrl, readOperatorToken } from './operator-token.ts'
import { createUser } from './shared.ts'
import { createSystemAccount, type SystemAccount } from './system-account.ts'

/** What init is to do, from flags or from the answers of a person. */
export interface InitPlan {
  dir: string
  name: string
  /** URL of the token of the operator to join, null to make an operator. */
  operatorUrl: string | null
}

const LOCAL_HINT = `to run a local server using this configuration, enter:
  nsc generate config --mem-resolver --config-file <path/server.conf>
then start a nats-server using the generated config:
  nats-server -c <path/server.conf>`

export async function run(call: Call): Promise<Report> {
  const { session } = call
  const plan = await makePlan(call)
  call.begin()
  if (operatorNames(session.context.storeRoot).includes(plan.name))
    throw failure(
      `an operator named ${backquote(plan.name)} already exists in ${backquote(session.context.storeRoot)} - ` +
        'specify a different directory with --dir',
    )
  const joined = plan.operatorUrl === null ? null : await joinOperator(session, plan.operatorUrl)
  const store = joined ?? OperatorStore.create(session.context.storeRoot, plan.name, { managed: false })
  const operatorKey = joined ? null : createOperator(session, store)
  session.context.operator = store.name
  session.context.save()
  if (store.hasAccount(plan.name))
    throw failure(`init failed: an account named ${quote(plan.name)} already exists`)
  return withLock(store.dir, () => fill(session, store, plan, operatorKey))
}

/** Reads the flags; with none of them a person is asked. Makes the stores folder, which becomes the root. */
async function makePlan({ session, flags }: Call): Promise<InitPlan> {
  const { environment, context } = session
  const asks = !flags.hasAny('dir', 'name', 'url', 'remote-operator')
  const flagName = flags.text('name')
  let plan: InitPlan = {
    // The default is the standard folder even when -H points elsewhere: existing scripts count on it.
    dir: flags.has('dir') ? environment.expand(flags.text('dir')) : environment.defaultStoresDir,
    name: flagName === '' || flagName === '*' ? randomName() : flagName,
    operatorUrl: null,
  }
  if (asks) {
    const { askInit } = await import('../dialogs/init.ts')
    plan = await askInit(session, plan)
  }
  makeFolder(plan.dir)
  context.setStoreRoot(plan.dir)
  context.save()
  if (!asks) plan.operatorUrl = operatorUrl(session, flags.text('url'), flags.text('remote-operator'))
  checkName(plan.name)
  return plan
}

function operatorUrl(session: Session, url: string, knownName: string): string | null {
  if (url !== '') return url
  if (knownName === '') return null
  const known = findWellKnown(session.io.env, knownName)
  if (!known) throw failure(`error operator ${quote(knownName)} was not found`)
  return known.url
}

function createOperator(session: Session, store: OperatorStore): KeyPair {
  const key = createKeyPair('operator')
  session.keystore.store(key)
  store.write(encode(newOperatorClaims(key.publicKey, store.name), key))
  return key
}

/** Fetches the operator's token into a store of its own, or into the one that is there already. */
async function joinOperator(session: Session, url: string): Promise<OperatorStore> {
  const { token, claims } = readOperatorToken(await loadOperatorUrl(session.io.env, url), 'decoding')
  const name = storeNameFor(session.io.env, url, claims.name ?? '')
  checkName(name)
  if (!claims.nats.account_server_url)
    throw failure(`error importing operator ${quote(name)} - it doesn't define an account server url`)
  const root = session.context.storeRoot
  const known = operatorNames(root).includes(name)
  const store = known ? OperatorStore.open(root, name) : OperatorStore.create(root, name, { managed: true })
  if (known && store.hasOperator() && store.operator().sub !== claims.sub)
    throw failure(
      `error a different operator named ${quote(name)} already exists -- specify --dir to create at a different location`,
    )
  store.write(token)
  return store
}

/** Account and user, and for an own operator its system account. */
async function fill(
  session: Session,
  store: OperatorStore,
  plan: InitPlan,
  operatorKey: KeyPair | null,
): Promise<Report> {
  const report = Report.list({ summarizes: true })
  if (operatorKey) {
    const system = completeOperator(session, store, operatorKey)
    report.ok(`created operator ${plan.name}`)
    report.ok(`created system_account: name:SYS id:${system.publicKey}`)
    report.ok(`created system account user: name:sys id:${system.userPublicKey}`)
    report.ok(`system account user creds file stored in ${session.shown(system.credsFile)}`)
  } else report.ok(`add managed operator ${store.name}`)
  const accountKey = createKeyPair('account')
  session.keystore.store(accountKey)
  const claims = newAccountClaims(accountKey.publicKey, plan.name)
  const signingKey = addSigningKeyIfStrict(session, store, claims, null)
  try {
    report.add(await storeAccount(session, store, encode(claims, operatorKey ?? accountKey)))
    report.ok(`created account ${plan.name}`)
    session.context.setAccount(plan.name)
    const account = { name: plan.name, publicKey: accountKey.publicKey }
    const user = createUser(session, store, account, plan.name, signingKey ?? accountKey)
    report.ok(`created user ${quote(plan.name)}`)
    report.ok(`project jwt files created in ${session.shown(plan.dir)}`)
    report.ok(`user creds file stored in ${session.shown(user.credsFile)}`)
  } catch (thrown) {
    report.error(textOf(thrown))
    return report
  }
  if (operatorKey) report.add(new RemoteText(LOCAL_HINT))
  return report
}

function completeOperator(session: Session, store: OperatorStore, key: KeyPair): SystemAccount {
  const system = createSystemAccount(session, store, key)
  const claims = store.operator()
  claims.nats.operator_service_urls = ['nats://localhost:4222']
  claims.nats.system_account = system.publicKey
  store.write(encode(claims, key))
  return system
}
