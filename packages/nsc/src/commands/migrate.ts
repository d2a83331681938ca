import fs from 'node:fs'
import path from 'node:path'
import {
  type AccountClaims,
  decodeAccount,
  decodeUser,
  didSign,
  encode,
  type KeyPair,
  undecorateJwt,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { exists, listFolder, readText } from '../files.ts'
import { isHttpUrl, loadFileOrUrl, storeAccount } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { operatorSigners, signingKeys } from '../signing.ts'
import { withLock } from '../store/lock.ts'
import { OperatorStore } from '../store/operator-store.ts'
import { backquote, quote } from '../text.ts'

export async function run(call: Call): Promise<undefined> {
  const { session, flags } = call
  const folder = flags.text('operator-dir')
  if (flags.text('url') !== '' && folder !== '') throw failure('specify one of --url or --store-dir')
  const store = session.store()
  const sources = folder === '' ? [flags.text('url')] : accountFiles(session, folder)
  const jobs: Report[] = []
  await withLock(store.dir, async () => {
    for (const source of sources) {
      try {
        const account = await load(session, source)
        check(session, store, source, account, flags.switch('force'))
        call.begin()
        jobs.push(await migrate(session, store, source, account))
      } catch (thrown) {
        jobs.push(Report.line('error', textOf(thrown)))
      }
    }
  })
  print(session, jobs)
}

/** Like other reports, but summed up in words of its own, and on both streams. */
function print({ io }: Session, jobs: readonly Report[]): void {
  const count = (level: Report['level']) => jobs.filter((job) => job.level === level).length
  const [ok, warnings, errors] = [count('ok'), count('warning'), count('error')]
  const text = jobs.map((job) => `${job.render()}\n`).join('')
  if (errors > 0) {
    io.stderr.write(text)
    if (ok === 0) throw failure(jobs.length === 1 ? 'job failed' : 'none of the jobs succeeded')
    throw failure(`${errors} jobs failed - ${ok} jobs succeeded and ${warnings} had warnings`)
  }
  const all = jobs.length === 1 ? 'job succeeded' : 'all jobs succeeded'
  const sum =
    warnings === 0 ? all : `${ok} jobs succeeded - there were ${errors} errors and ${warnings} warnings`
  io.stderr.write(`${sum}\n`)
  io.stdout.write(`${text}${sum}\n`)
}

function accountFiles(session: Session, given: string): string[] {
  const dir = session.expand(given)
  let other: OperatorStore
  try {
    other = OperatorStore.open(path.dirname(dir), path.basename(dir))
  } catch (thrown) {
    throw failure(`error loading operator ${backquote(dir)}: ${textOf(thrown)}`, thrown)
  }
  return other.accountNames().map((name) => path.join(other.accountDir(name), `${name.trim()}.jwt`))
}

async function load(session: Session, source: string): Promise<AccountClaims> {
  if (source === '') throw failure('an url or path to the account jwt is required')
  let content: string
  try {
    content = await loadFileOrUrl(session, source)
  } catch (thrown) {
    throw failure(`error loading from ${backquote(source)}: ${textOf(thrown)}`, thrown)
  }
  try {
    return decodeAccount(undecorateJwt(content).trim())
  } catch (thrown) {
    throw failure(`error decoding JWT: ${textOf(thrown)}`, thrown)
  }
}

function check(
  session: Session,
  store: OperatorStore,
  source: string,
  account: AccountClaims,
  force: boolean,
): void {
  const name = account.name ?? ''
  if (!isHttpUrl(source)) {
    const file = session.expand(source)
    if (file.startsWith(store.dir + path.sep)) throw failure(`cannot migrate ${quote(file)} onto itself`)
  }
  if (!force && store.hasAccount(name))
    throw failure(`account ${quote(name)} already exists, specify --force to overwrite`)
  const keys = [account.sub, ...signingKeys(account)]
  if (!keys.some((key) => session.keystore.has(key)))
    throw failure(`unable to find an account key for ${quote(name)} - need one of ${keys.join(', ')}`)
}

async function migrate(
  session: Session,
  store: OperatorStore,
  source: string,
  account: AccountClaims,
): Promise<Report> {
  const name = account.name ?? ''
  const job = new Report('', { level: 'ok' })
  const signer = signerOf(session, store, account)
  try {
    job.add(await storeAccount(session, store, signer ? encode(account, signer) : tokenOf(session, source)))
  } catch (thrown) {
    throw failure(`failed to migrate ${quote(name)}: ${textOf(thrown)}`, thrown)
  }
  const migrated = `migrated ${quote(name)} to operator ${quote(store.operator().name ?? '')}`
  if (isHttpUrl(source)) job.label = `${migrated} []`
  else {
    const users = copyUsers(store, path.join(path.dirname(session.expand(source)), 'users'))
    job.label = `${migrated} [${users === 0 ? 'no' : users} users migrated]`
  }
  return job
}

/**
 * In a managed store the account asks for the operator's signature by one of its own. In a local one the operator
 * signs it, if its key is here: accounts signed by another operator are of no use to its servers.
 */
function signerOf(session: Session, store: OperatorStore, account: AccountClaims): KeyPair | null {
  const keys = store.managed ? [account.sub, ...signingKeys(account)] : operatorSigners(store.operator())
  if (!store.managed && didSign(store.operator(), account)) return null
  for (const key of keys) {
    const pair = session.keystore.get(key)
    if (pair) return pair
  }
  return null
}

function tokenOf(session: Session, source: string): string {
  return undecorateJwt(readText(session.expand(source))).trim()
}

/** Copies the users beside the account's file; how many there were. */
function copyUsers(store: OperatorStore, folder: string): number {
  if (!exists(folder) || !fs.statSync(folder).isDirectory()) return 0
  const files = listFolder(folder).filter(
    (entry) => !entry.isDirectory() && path.extname(entry.name) === '.jwt',
  )
  for (const { name } of files) {
    const token = undecorateJwt(readText(path.join(folder, name))).trim()
    decodeUser(token)
    store.write(token)
  }
  return files.length
}
