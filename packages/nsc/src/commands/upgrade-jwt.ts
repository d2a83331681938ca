import fs from 'node:fs'
import path from 'node:path'
import { encode } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { LOCK_FILE, withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'

export async function run({ session }: Call): Promise<undefined> {
  const report = new Report('Upgrade operator jwt to v2')
  const store = session.store()
  await withLock(store.dir, () => upgrade(session, store, report))
  session.note(report.render())
}

async function upgrade(session: Session, store: OperatorStore, report: Report): Promise<void> {
  const operator = store.operator()
  const name = operator.name ?? ''
  if (operator.nats.version === 2)
    return report.ok(`Operator ${name} is already upgraded to version 2. No change was applied`)
  if (store.managed)
    return report.error(
      `No change was made! The store is managed: get a V2 jwt from ${name}, then import it:\n` +
        'nsc add operator --force --url <file or url>',
    )
  const key = session.keystore.get(operator.sub)
  if (!key)
    return report.error(
      `Identity Key for Operator ${name} not found.\nIt is needed to write the Operator as v2: put it back into the keystore.`,
    )
  const agreed = await confirm(
    session,
    'Servers must be able to read v2, and need the new operator token. Back up the store and convert it now?',
  )
  if (!agreed) return report.ok('Declined to convert at this time. Rerun command when ready.')
  // One folder down: beside the store itself, its `.nsc` would make the working directory a stores root.
  const backup = path.join(session.io.cwd, `${name}-jwtV1-upgrade-backup`, store.name)
  fs.cpSync(store.dir, backup, {
    recursive: true,
    errorOnExist: true,
    force: false,
    filter: (file) => path.basename(file) !== LOCK_FILE,
  })
  session.note(`The store as it was is in ${session.shown(backup)}; it holds no keys.`)
  store.write(encode(operator, key))
  report.ok(`Converted Operator: ${name}`)
}

/** No, where nobody can be asked. */
async function confirm({ io }: Session, message: string): Promise<boolean> {
  if (!io.stdin.isTTY) return false
  const { confirm } = await import('@clack/prompts')
  return (await confirm({ message, initialValue: false, input: io.stdin })) === true
}
