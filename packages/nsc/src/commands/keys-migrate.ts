import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { keyPairFromSeed } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { filesBelow, makeFolder, readText, writeAtomically } from '../files.ts'
import { Keystore } from '../keystore/keystore.ts'
import { backquote } from '../text.ts'

export function run({ session }: Call): undefined {
  const { keystore } = session
  if (!keystore.needsMigration()) {
    session.note(`keystore ${session.shown(keystore.dir)} does not need migration`)
    return
  }
  const id = randomBytes(11).toString('hex')
  const migrated = path.join(path.dirname(keystore.dir), id)
  const old = `${keystore.dir}_${id}`
  try {
    migrate(keystore.dir, new Keystore(migrated, session.environment))
  } catch (thrown) {
    // The old keystore has not been touched.
    fs.rmSync(migrated, { recursive: true, force: true })
    throw thrown
  }
  fs.renameSync(keystore.dir, old)
  fs.renameSync(migrated, keystore.dir)
  session.note(
    `keystore ${session.shown(keystore.dir)} was migrated - old store was renamed to ${session.shown(old)} - ` +
      'remove at your convenience',
  )
}

function migrate(from: string, to: Keystore): void {
  for (const file of filesBelow(from)) {
    if (path.extname(file) === '.nk') {
      try {
        to.store(keyPairFromSeed(readText(file).trim()))
      } catch (thrown) {
        throw failure(`error processing ${backquote(file)}: ${textOf(thrown)}`, thrown)
      }
    } else if (path.extname(file) === '.creds') {
      const target = path.join(to.dir, credsPlace(path.relative(from, file)))
      makeFolder(path.dirname(target))
      writeAtomically(target, readText(file))
    }
  }
}

/** From `<operator>/accounts/<account>/users/<user>.creds` to `creds/<operator>/<account>/<user>.creds`. */
function credsPlace(relative: string): string {
  const parts = relative.split(path.sep)
  if (parts.length === 4 && parts[0] === 'creds') return relative
  const [operator = '', , account = '', , user = ''] = parts
  if (parts.length === 5) return path.join('creds', operator, account, user)
  throw failure(`unexpected creds filepath len of ${parts.length}: ${backquote(relative)}`)
}
