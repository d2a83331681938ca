import { randomBytes } from 'node:crypto'
import path from 'node:path'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { collectPieces } from '../repair/pieces.ts'
import { rebuild } from '../repair/rebuild.ts'
import { Report } from '../report.ts'

export async function run(call: Call): Promise<Report | undefined> {
  const { session, flags } = call
  call.begin()
  const report = new Report('', { level: 'ok' })
  const folders = flags.list('in').map((folder) => session.expand(folder))
  const pieces = collectPieces(folders, { creds: flags.switch('creds') }, report)
  if (pieces.operators.size === 0) {
    // What was found, or could not be read, tells why.
    if (report.level !== 'ok') session.note(report.render())
    throw failure('no operator found')
  }
  const out = session.expand(flags.text('out') || `./fix_${randomBytes(11).toString('hex')}`)
  const { operators, accounts, users, keys } = rebuild(session, pieces, out, report)
  if (report.failed) return report
  session.print(report.render())
  session.note(`stored ${operators} operators
stored ${accounts} accounts
stored ${users} users
stored ${keys} nkeys
`)
  if (keys > 0) session.note(`export NKEYS_PATH=${path.join(out, 'keys')}`)
  session.note(`cd ${path.join(out, 'operators')}\nnsc list operators`)
}
