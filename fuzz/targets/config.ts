// The configuration file: whatever is in it, it is taken or refused with a ConfigError; nothing else is thrown, and it ends soon.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '../../packages/server/src/config/language.ts'
import { readConfigFile } from '../../packages/server/src/config/read.ts'
import { OPTION_ROWS } from '../../packages/server/src/option-table.ts'
import { defaultOptions } from '../../packages/server/src/options.ts'
import type { Random } from '../random.ts'
import { Finding, type Target } from '../target.ts'

const BLOCKS = [
  'authorization',
  'accounts',
  'websocket',
  'tls',
  'mappings',
  'permissions',
  'users',
  'exports',
  'imports',
  'limits',
  'cluster',
  'jetstream',
  'leafnodes',
  'gateway',
  'mqtt',
  'resolver',
  'resolver_preload',
  'server_tags',
  'auth_callout',
  'A',
  'B',
  '$SYS',
  '"x.y"',
] as const
const KEYS = [
  'user',
  'password',
  'nkey',
  'token',
  'timeout',
  'publish',
  'subscribe',
  'allow',
  'deny',
  'stream',
  'service',
  'account',
  'subject',
  'to',
  'prefix',
  'port',
  'listen',
  'cert_file',
  'operator',
  'destination',
  'weight',
  'dest',
  'include',
  '$x',
  'response',
] as const
const VALUES = [
  'true',
  'off',
  '1',
  '-1',
  '4k',
  '10GB',
  '"2s"',
  '2m',
  "'a'",
  '"b"',
  'bare',
  '$x',
  '$2a$11$abc',
  '1.5',
  '2020-01-02T03:04:05Z',
  'localhost:4222',
  '"\\x41"',
  '"\\q"',
  '(\nblock\n)\n',
  '>',
  '"foo.*"',
  '9223372036854775808',
  '""',
  '{}',
  '[]',
  '[1, "a", [2]]',
  '{a: b}',
  'URL("http://h")',
  'MEMORY',
] as const

function block(random: Random, depth: number): string {
  const lines = random.list(5, () => {
    const key = random.oneIn(3)
      ? random.pick(BLOCKS)
      : random.oneIn(2)
        ? random.pick(OPTION_ROWS).key
        : random.pick(KEYS)
    const between = random.pick([': ', ' = ', ' ', ':', '\n'])
    if (depth > 0 && random.oneIn(2)) {
      return random.oneIn(4)
        ? `${key}${between}[${random.list(3, () => `{${block(random, depth - 1)}}`).join(random.pick([', ', '\n', ' ']))}]`
        : `${key} {\n${block(random, depth - 1)}\n}`
    }
    return `${key}${between}${random.pick(VALUES)}`
  })
  return lines.join(random.pick(['\n', '; ', ', ', ' # c\n', ' // c\n']))
}

export const config: Target = {
  name: 'config',
  about: 'configuration files',
  async start() {
    const dir = mkdtempSync(join(tmpdir(), 'ngs-fuzz-'))
    const file = join(dir, 'server.conf')
    return {
      one(random) {
        const text = Buffer.from(`x = 5\n${block(random, 3)}\n`)
        const bytes = random.oneIn(2) ? random.damage(text) : text
        writeFileSync(file, bytes)
        try {
          readConfigFile(file, defaultOptions())
        } catch (error) {
          if (!(error instanceof ConfigError))
            throw new Finding('another error than a ConfigError', bytes, { cause: error })
        }
      },
      async stop() {
        rmSync(dir, { recursive: true, force: true })
      },
    }
  },
}
