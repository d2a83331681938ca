// What the log says first, in the lines and the order of the official server.
import { isBcrypt } from './auth/passwords.ts'
import { FEATURE_FLAGS } from './feature-flags.ts'
import type { Server } from './server.ts'
import { VERSION } from './version.ts'

const LARGE_PAYLOAD = 8 * 1024 * 1024

/** @param program the command's name. */
export function logBanner(server: Server, program: string): void {
  const { log, options } = server
  log.info(`Starting ${program}`)
  log.info(`  Version:  ${VERSION}`)
  log.info('  Git:      [not set]')
  log.debug(`  Node.js:  ${process.version}`)
  log.info(`  Name:     ${server.name}`)
  log.info(`  ID:       ${server.id}`)
  logFeatureFlags(server)
  const passwords = [options.password, ...options.users.map((user) => user.password)]
  if (passwords.some((password) => password !== '' && !isBcrypt(password)))
    log.warn('Plaintext passwords detected, use nkeys or bcrypt')
  if (options.configFile !== '')
    log.info(`Using configuration file: ${options.configFile} (${options.configDigest})`)
  if (options.maxPayload > LARGE_PAYLOAD)
    log.warn('Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance')
}

function logFeatureFlags({ log, options: { featureFlags } }: Server): void {
  const names = Object.keys(featureFlags).sort()
  if (names.length === 0) return
  const state = (name: string): string => {
    if (FEATURE_FLAGS[name]) return featureFlags[name] ? 'enabled' : 'opt-out'
    return featureFlags[name] ? 'opt-in' : 'disabled'
  }
  const known = names.filter((name) => Object.hasOwn(FEATURE_FLAGS, name))
  const unknown = names.filter((name) => !known.includes(name))
  log.info('  Feature flags:')
  log.info(`    Configured:    ${known.map((name) => `${name} (${state(name)})`).join(', ') || 'none'}`)
  if (unknown.length > 0) log.info(`    Unsupported:   ${unknown.join(', ')}`)
}
