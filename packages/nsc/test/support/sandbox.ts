import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { unverifiedDecode } from '@ngs/identity/node'
import { needsPeer, peer, run as runProgram, tempDir } from '@ngs/testkit'
import { runNsc } from '../../src/index.ts'

// Local times are part of some output; the programs that are started get the same.
process.env['TZ'] = 'UTC'

/** Runs nsc, ours or the official one, in a home folder of its own. */

export type Which = 'ours' | 'official'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

const OURS = path.resolve(import.meta.dirname, '../../bin/nsc')

function programOf(which: Which): string {
  return which === 'ours' ? OURS : peer('nsc')
}

/** Test options for those that compare with the official program. */
export const needsOfficial = needsPeer('nsc')

export class Sandbox {
  readonly home: string
  /** Program used when a call names none. */
  readonly which: Which
  readonly env: Record<string, string> = {}
  /** Whether ours always runs as a program of its own. */
  spawned = false

  private constructor(home: string, which: Which) {
    this.home = home
    this.which = which
  }

  static create(t: TestContext, which: Which): Sandbox {
    return new Sandbox(fs.realpathSync(tempDir(t)), which)
  }

  /** One that its owner removes; in memory where there is a file system for that, as hundreds of homes are made. */
  static loose(which: Which): Sandbox {
    const memory = '/dev/shm'
    const parent = fs.existsSync(memory) ? memory : os.tmpdir()
    return new Sandbox(fs.mkdtempSync(path.join(fs.realpathSync(parent), 'nsc-')), which)
  }

  /** Removes the home before the test ends: tests with hundreds of them. */
  remove(): void {
    fs.rmSync(this.home, { recursive: true, force: true })
  }

  get stores(): string {
    return path.join(this.home, '.local/share/nats/nsc/stores')
  }

  get keys(): string {
    return path.join(this.home, '.local/share/nats/nsc/keys')
  }

  path(...parts: string[]): string {
    return path.join(this.home, ...parts)
  }

  /** Names in a folder of the home. */
  files(...parts: string[]): string[] {
    return fs.readdirSync(this.path(...parts))
  }

  read(...parts: string[]): string {
    return fs.readFileSync(this.path(...parts), 'utf8')
  }

  /** Runs one call. Ours runs inside this process, which is much faster, unless `spawned` asks for the program. */
  async run(
    args: readonly string[],
    options: {
      which?: Which
      cwd?: string
      env?: Record<string, string>
      spawned?: boolean
      onError?: (text: string) => void
    } = {},
  ): Promise<Outcome> {
    const which = options.which ?? this.which
    const cwd = options.cwd ?? this.home
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      TZ: 'UTC',
      NODE_COMPILE_CACHE: path.join(os.tmpdir(), 'nsc-test-compile-cache'),
      ...this.env,
      ...options.env,
    }
    const spawned = options.spawned ?? this.spawned
    if (which === 'ours' && !spawned) return runHere(args, cwd, env, options.onError)
    const { code, stdout, stderr } = await runProgram(programOf(which), args, { cwd, env, timeout: 120_000 })
    return { code, stdout, stderr }
  }

  /** Runs and expects exit code 0. */
  async ok(args: readonly string[], options: Parameters<Sandbox['run']>[1] = {}): Promise<Outcome> {
    const outcome = await this.run(args, options)
    if (outcome.code !== 0)
      throw new Error(`nsc ${args.join(' ')}: exit ${outcome.code}\n${outcome.stdout}${outcome.stderr}`)
    return outcome
  }

  token(operator: string, ...parts: [] | [account: string] | [account: string, user: string]): string {
    const [account, user] = parts
    const dir = path.join(this.stores, operator)
    const file =
      account === undefined
        ? path.join(dir, `${operator}.jwt`)
        : user === undefined
          ? path.join(dir, 'accounts', account, `${account}.jwt`)
          : path.join(dir, 'accounts', account, 'users', `${user}.jwt`)
    return fs.readFileSync(file, 'utf8')
  }

  /** Claims as they are on the wire. */
  claims(operator: string, ...parts: [] | [account: string] | [account: string, user: string]): WireClaims {
    return unverifiedDecode(this.token(operator, ...parts).trim()).payload as unknown as WireClaims
  }

  /** Public key of an operator, account or user. */
  key(operator: string, ...parts: [] | [account: string] | [account: string, user: string]): string {
    return this.claims(operator, ...parts).sub
  }

  /** All files and folders below the home folder: mode and name, keys replaced, sorted. */
  tree(): string[] {
    const lines: string[] = []
    const walk = (folder: string) => {
      for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
        const file = path.join(folder, entry.name)
        const mode = (fs.statSync(file).mode & 0o777).toString(8)
        const shown = maskKeys(path.relative(this.home, file)).replace(
          /keys\/([A-Z])\/[A-Z2-7]{2}(?=\/|$)/,
          'keys/$1/##',
        )
        lines.push(`${entry.isDirectory() ? 'd' : 'f'}${mode} ${shown}`)
        if (entry.isDirectory()) walk(file)
      }
    }
    walk(this.home)
    return [...new Set(lines)].sort()
  }
}

async function runHere(
  args: readonly string[],
  cwd: string,
  env: Record<string, string>,
  onError: (text: string) => void = () => {},
): Promise<Outcome> {
  const outcome: Outcome = { code: null, stdout: '', stderr: '' }
  const into = (stream: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      outcome[stream] += text
      if (stream === 'stderr') onError(text)
    },
  })
  outcome.code = await runNsc(args, {
    stdout: into('stdout'),
    stderr: into('stderr'),
    stdin: Readable.from([]),
    env,
    cwd,
  })
  return outcome
}

export interface WireClaims {
  iss: string
  sub: string
  iat: number
  exp?: number
  nbf?: number
  jti: string
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: bodies of all kinds, looked into by tests only
  nats: any
}

/** Keys and seeds by their kind alone, of the same width, so that tables keep their shape. */
export function maskKeys(text: string): string {
  return text
    .replace(/(?<![A-Z2-7])S([OAUXNC])[A-Z2-7]{56}(?![A-Z2-7])/g, (_, role: string) => `S${role.repeat(57)}`)
    .replace(/(?<![A-Z2-7])([OAUX])[A-Z2-7]{55}(?![A-Z2-7])/g, (_, role: string) => role.repeat(56))
}

/** Output of two programs made comparable: keys, tokens, dates and folders masked, usage cut off. */
export function normalize(text: string, sandbox: Sandbox): string {
  return (
    maskKeys(text)
      .replaceAll(sandbox.home, '$HOME')
      .replace(/keys\/([OAUX])\/[A-Z2-7]{2}\//g, 'keys/$1/##/')
      .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, 'TOKEN')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'YYYY-MM-DD hh:mm:ss UTC')
      .replace(/(date:|=) \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '$1 YYYY-MM-DD hh:mm:ss')
      .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'YYYY-MM-DDThh:mm:ssZ')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC/g, 'MOMENT')
      .replace(/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d UTC/g, 'Day, DD Mon YYYY hh:mm:ss UTC')
      // Ids of activations hang on the issuer's key.
      .replace(/[A-Z2-7]{52}={4}/g, 'HASH')
      .replace(/"iat": \d+/g, '"iat": 0')
      .replace(/"jti": "[A-Z2-7]{52}"/g, '"jti": ""')
      .replace(/\n?Usage:[\s\S]*$/, '')
  )
}

/**
 * Claims without what differs from run to run, and with what is not written for what it means: a response type that is
 * absent is Singleton, limits that a scope does not name are none, and those of JetStream mean nothing without storage.
 */
export function comparable(claims: WireClaims): unknown {
  for (const entry of claims.nats.imports ?? [])
    if (entry.token) entry.token = comparable(unverifiedDecode(entry.token).payload as unknown as WireClaims)
  for (const entry of claims.nats.exports ?? [])
    if (entry.response_type === 'Singleton') delete entry.response_type
  for (const entry of claims.nats.signing_keys ?? [])
    if (entry.template) entry.template = { subs: -1, data: -1, payload: -1, ...entry.template }
  if (claims.nats.signing_keys) claims.nats.signing_keys.sort(byText)
  const { limits } = claims.nats
  if (limits && !limits.mem_storage && !limits.disk_storage)
    for (const limit of JET_STREAM_LIMITS) if (limits[limit] === -1) delete limits[limit]
  return JSON.parse(maskKeys(JSON.stringify({ ...claims, iat: 0, jti: '' })))
}

/** Keys differ from run to run, and with them their order. */
const byText = (a: unknown, b: unknown) =>
  maskKeys(JSON.stringify(a)) < maskKeys(JSON.stringify(b)) ? -1 : 1

const JET_STREAM_LIMITS = [
  ...['streams', 'consumer', 'max_ack_pending', 'mem_max_stream_bytes', 'disk_max_stream_bytes'],
]
