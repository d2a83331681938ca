import path from 'node:path'
import type { Call } from '../cli/spec.ts'
import { failure, fileError, textOf } from '../errors.ts'
import { filesBelow, statOf } from '../files.ts'
import { resolveKeyText } from '../keystore/keystore.ts'
import { Report } from '../report.ts'
import { backquote } from '../text.ts'

export function run(call: Call): Report {
  const { session, flags } = call
  const dir = session.expand(flags.text('dir'))
  const stat = statOf(dir)
  if (stat === null) throw fileError('stat', dir, { code: 'ENOENT' })
  if (!stat.isDirectory()) throw failure(`${backquote(dir)} is not a directory`)
  call.begin()
  const files = filesBelow(dir, { recurse: flags.switch('recurse') }).filter(
    (file) => path.extname(file) === '.nk',
  )
  if (files.length === 0) throw failure('no nkey (.nk) files found')
  const report = Report.list({ summarizes: true })
  for (const file of files) {
    try {
      const key = resolveKeyText(file, (name) => name)
      if (!key || ('hasSeed' in key && !key.hasSeed)) throw failure('nkeys: no seed or private key available')
      session.keystore.store(key)
      report.ok(`${key.publicKey} was added to the keystore`)
    } catch (thrown) {
      report.error(`failed to import ${backquote(file)}: ${textOf(thrown)}`)
    }
  }
  return report
}
