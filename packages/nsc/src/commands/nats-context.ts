import fs from 'node:fs'
import path from 'node:path'
import { failure, fileError } from '../errors.ts'
import { writeAtomically } from '../files.ts'
import { goJson } from '../json.ts'
import type { Session } from '../session.ts'

/** What the nats program finds in a context of ours. */
export interface NatsContext {
  nsc: string
  url?: string
  creds: string
}

/** Writes a context of the nats program and returns its path. */
export function writeNatsContext(session: Session, name: string, context: NatsContext): string {
  const { io, home } = session.environment
  const folder = path.join(io.env['XDG_CONFIG_HOME'] || path.join(home, '.config'), 'nats', 'context')
  try {
    // The folder is not ours alone: it gets the mode that the nats program gives it.
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 })
  } catch (thrown) {
    throw failure(`failed to create context dir "${folder}": ${fileError('mkdir', folder, thrown).message}`)
  }
  const file = path.join(folder, name.endsWith('.json') ? name : `${name}.json`)
  writeAtomically(file, goJson(context))
  return file
}
