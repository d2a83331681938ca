// The official programs that `npm run peers` builds.
import { existsSync } from 'node:fs'
import { join } from 'node:path'

export type PeerName = 'nats-server' | 'nsc' | 'nats'

const path = (name: PeerName): string => join(import.meta.dirname, '../../.peers/bin', name)

/** The executable. @throws when it is not built. */
export function peer(name: PeerName): string {
  if (!existsSync(path(name))) throw new Error(`the official ${name} is not built: run npm run peers`)
  return path(name)
}

/** Options of a test that needs the program: skipped with a reason where it is absent. @throws in CI, which has to have it. */
export function needsPeer(name: PeerName): { skip: string | false } {
  if (existsSync(path(name))) return { skip: false }
  if (process.env['CI'] === 'true')
    throw new Error(`CI needs the official ${name}: npm run peers failed or did not run`)
  return { skip: `the official ${name} is not built (npm run peers)` }
}
