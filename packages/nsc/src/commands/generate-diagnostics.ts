import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Call } from '../cli/spec.ts'
import { exists, filesBelow, statOf } from '../files.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { checkAccount, checkOperator, type Findings } from '../store/validation.ts'
import { quote } from '../text.ts'
import { COMPATIBLE_VERSION, VERSION } from '../version.ts'
import { collectOwnedKeys, stateOf } from './key-collection.ts'

/** What is where and in which state, for a person who helps: names and public keys, never a seed or a token. */
export function run({ session, flags }: Call): undefined {
  const { environment, context, keystore } = session
  const report = Report.list()
  report.ok(
    `nsc of NGS ${VERSION}, commands of nsc ${COMPATIBLE_VERSION}, Node ${process.version}, ${os.platform()} ${os.arch()}`,
  )
  report.ok(
    `configuration in ${session.shown(environment.configDir)}, operator ${quote(context.operator)}, account ${quote(context.account)}`,
  )
  for (const name of operatorNames(context.storeRoot)) report.add(operatorReport(session, name))
  const files = new Report(
    `files of ${session.shown(context.storeRoot)} and ${session.shown(keystore.dir)}`,
    { level: 'ok' },
  )
  report.add(files)
  for (const folder of [environment.configDir, context.storeRoot, keystore.dir])
    checkFiles(session, folder, files)
  const text = `${report.render()}\n`
  const output = flags.text('output-file')
  if (output === '--') session.io.stdout.write(text)
  else session.writeOutput(output, text)
}

function operatorReport(session: Session, name: string): Report {
  const store = OperatorStore.open(session.context.storeRoot, name)
  const line = new Report(`operator ${quote(name)}, ${store.managed ? 'managed' : 'local'}`, { level: 'ok' })
  const { operator, findings } = checkOperator(store)
  addFindings(line, findings)
  for (const account of store.accountNames()) {
    const users = store.userNames(account).length
    const inner = new Report(`account ${quote(account)}, ${users} ${users === 1 ? 'user' : 'users'}`, {
      level: 'ok',
    })
    line.add(inner)
    addFindings(inner, checkAccount(store, operator, account))
  }
  line.add(keyReport(session, store))
  return line
}

function addFindings(line: Report, findings: Findings): void {
  for (const { level, text } of findings)
    line.add(Report.line(level === 'warning' ? 'warning' : 'error', text))
}

/** Which keys are here: one that is missing may be kept elsewhere, one that is another key is damage. */
function keyReport({ keystore }: Session, store: OperatorStore): Report {
  const line = new Report('keys', { level: 'ok' })
  let keys: ReturnType<typeof collectOwnedKeys>
  try {
    keys = collectOwnedKeys(store)
  } catch {
    line.warn('not looked for: first the damaged tokens')
    return line
  }
  const missing = keys.filter(({ publicKey }) => !keystore.hasFile(publicKey))
  line.ok(`${keys.length - missing.length} of ${keys.length} are in the keystore`)
  for (const { name, publicKey } of missing) line.ok(`not here: ${publicKey} of ${quote(name)}`)
  for (const { name, publicKey } of keys)
    if (keystore.hasFile(publicKey) && stateOf(keystore, publicKey) !== 'stored')
      line.error(`the file of ${publicKey} of ${quote(name)} does not hold that key`)
  return line
}

/** Files that others may read, and what a run that was killed has left. */
function checkFiles(session: Session, folder: string, report: Report): void {
  if (!exists(folder)) return
  for (const file of filesBelow(folder)) {
    const mode = (statOf(file)?.mode ?? 0) & 0o777
    if (mode & 0o077) report.warn(`${session.shown(file)} has mode ${mode.toString(8)}: others may read it`)
    const { base } = path.parse(file)
    if (/^\..*\.tmp$/.test(base))
      report.warn(`${session.shown(file)} was left by a run that was ended: it can be deleted`)
    if (base === '.nsc.lock')
      report.warn(`${session.shown(file)} says: ${fs.readFileSync(file, 'utf8').trim()}`)
  }
}
