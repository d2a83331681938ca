// The command line, in the syntax of Go's flag package: one or two dashes, `-p 1` or `-p=1`, booleans alone or with `=`.
import { ConfigError } from './config/language.ts'
import { NO_PROFILES, NO_SYSLOG } from './config/read.ts'
import { OPTION_ROWS } from './option-table.ts'
import type { Options } from './options.ts'
import { quoteText } from './quote.ts'
import { tlsServerOptions } from './tls/context.ts'
import { defaultTlsOptions } from './tls/options.ts'

export class FlagError extends Error {}

export interface CommandLine {
  config: string
  check: boolean
  help: boolean
  helpTls: boolean
  version: boolean
  /** `command` or `command=pid`; empty for none. */
  signal: string
  /** First word that is no flag; null for none. */
  word: string | null
  /** Sets on top of the file what was given. @throws ConfigError for what is not supported, TlsError for certificates. */
  apply(options: Options): void
}

type Kind = 'boolean' | 'integer' | 'string'
interface Flag {
  readonly kind: Kind
  /** Of the command line itself, as soon as it is read. */
  readonly note?: (line: CommandLine, text: string) => void
  readonly apply?: (options: Options, text: string, name: string) => void
}

const on = (text: string): boolean => text === 'true'
const notYet = (_options: Options, text: string, name: string): void => {
  if (text !== '' && text !== 'false' && text !== '0')
    throw new ConfigError(`${name.length > 1 ? '--' : '-'}${name} is not supported yet`)
}
const never =
  (why: string): ((options: Options, text: string) => void) =>
  (_options, text) => {
    if (text !== '' && text !== 'false' && text !== '0') throw new ConfigError(why)
  }

/** Of several levels at once; set after the others, as the official server does it. */
const LEVELS: Readonly<Record<string, readonly ('debug' | 'trace' | 'traceVerbose')[]>> = {
  DV: ['debug', 'trace'],
  DVV: ['debug', 'trace', 'traceVerbose'],
  VV: ['trace', 'traceVerbose'],
}

function flagTable(): ReadonlyMap<string, Flag> {
  const flags = new Map<string, Flag>()
  const add = (names: readonly string[], flag: Flag): void => {
    for (const name of names) flags.set(name, flag)
  }
  for (const { field, flags: names, type } of OPTION_ROWS) {
    if (names === undefined) continue
    const kind = type === 'boolean' ? type : type === 'integer' || type === 'port' ? 'integer' : 'string'
    add(names, {
      kind,
      apply: (options, text) => {
        const value = kind === 'boolean' ? on(text) : kind === 'integer' ? Number(text) : text
        ;(options as unknown as Record<string, unknown>)[field] = value
      },
    })
  }
  for (const [name, fields] of Object.entries(LEVELS)) {
    add([name], {
      kind: 'boolean',
      apply: (options, text) => {
        for (const field of fields) options[field] = on(text)
      },
    })
  }
  const credential = (field: 'user' | 'password' | 'token'): Flag => ({
    kind: 'string',
    apply: (options, text) => {
      options[field] = text
    },
  })
  add(['user'], credential('user'))
  add(['pass'], credential('password'))
  add(['auth'], credential('token'))
  const noted = (kind: Kind, note: Flag['note'] & {}): Flag => ({ kind, note })
  add(
    ['c', 'config'],
    noted('string', (line, text) => {
      line.config = text
    }),
  )
  add(
    ['t'],
    noted('boolean', (line, text) => {
      line.check = on(text)
    }),
  )
  add(
    ['sl', 'signal'],
    noted('string', (line, text) => {
      line.signal = text
    }),
  )
  add(
    ['h', 'help'],
    noted('boolean', (line, text) => {
      line.help = on(text)
    }),
  )
  add(
    ['help_tls'],
    noted('boolean', (line, text) => {
      line.helpTls = on(text)
    }),
  )
  add(
    ['v', 'version'],
    noted('boolean', (line, text) => {
      line.version = on(text)
    }),
  )
  // Applied together, by applyTls.
  add(['tls', 'tlsverify'], { kind: 'boolean' })
  add(['tlscert', 'tlskey', 'tlscacert'], { kind: 'string' })
  add(['s', 'syslog'], { kind: 'boolean', apply: never(NO_SYSLOG) })
  add(['r', 'remote_syslog'], { kind: 'string', apply: never(NO_SYSLOG) })
  add(['profile'], { kind: 'integer', apply: never(NO_PROFILES) })
  add(['js', 'jetstream', 'no_advertise'], { kind: 'boolean', apply: notYet })
  add(['connect_retries'], { kind: 'integer', apply: notYet })
  add(['sd', 'store_dir', 'routes', 'cluster', 'cluster_listen', 'cluster_name', 'cluster_advertise'], {
    kind: 'string',
    apply: notYet,
  })
  return flags
}

/** The certificates of the file give way to those of the flags, its other rules for TLS stay. @throws ConfigError, TlsError. */
function applyTls(options: Options, given: ReadonlyMap<string, string>): void {
  if (given.get('tls') === 'false') {
    options.tls = null
    return
  }
  if (![...given.keys()].some((name) => name.startsWith('tls'))) return
  const text = (name: string): string => given.get(name) ?? ''
  if (text('tlscert') === '') throw new ConfigError('TLS Server certificate must be present and valid')
  if (text('tlskey') === '') throw new ConfigError('TLS Server private key must be present and valid')
  const { cipherSuites, curves, minVersion } = defaultTlsOptions()
  options.tls = {
    ...(options.tls ?? defaultTlsOptions()),
    certificates: [{ certFile: text('tlscert'), keyFile: text('tlskey') }],
    caFile: text('tlscacert'),
    verify: on(text('tlsverify')),
    cipherSuites,
    curves,
    minVersion,
  }
  tlsServerOptions(options.tls)
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']
const INTEGER = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/

/** The text of a value in its plain form. @throws FlagError. */
function checked(kind: Kind, name: string, text: string): string {
  if (kind === 'string') return text
  if (kind === 'boolean') {
    if (TRUE.includes(text)) return 'true'
    if (FALSE.includes(text)) return 'false'
    throw new FlagError(`invalid boolean value ${quoteText(text)} for -${name}: parse error`)
  }
  const match = INTEGER.exec(text)
  const invalid = (why: string): never => {
    throw new FlagError(`invalid value ${quoteText(text)} for flag -${name}: ${why}`)
  }
  if (match === null) return invalid('parse error')
  // Go takes a leading 0 for octal.
  const [, sign, digits] = match
  const value = BigInt(/^0[0-7]+$/.test(digits!) ? `0o${digits!.slice(1)}` : digits!)
  const signed = sign === '-' ? -value : value
  if (BigInt.asIntN(64, signed) !== signed) return invalid('value out of range')
  return `${signed}`
}

/** @throws FlagError with the text of Go's flag package. */
export function parseFlags(args: readonly string[]): CommandLine {
  const given: { name: string; flag: Flag; text: string }[] = []
  const line: CommandLine = {
    config: '',
    check: false,
    help: false,
    helpTls: false,
    version: false,
    signal: '',
    word: null,
    apply(options) {
      const levels = given.filter(({ name }) => name in LEVELS).sort((a, b) => (a.name < b.name ? -1 : 1))
      for (const { name, flag, text } of [...given.filter(({ name }) => !(name in LEVELS)), ...levels])
        flag.apply?.(options, text, name)
      applyTls(options, new Map(given.map(({ name, text }) => [name, text])))
      if (options.port === 0) options.port = 4222
      if (options.host === '') options.host = '0.0.0.0'
    },
  }
  const flags = flagTable()
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--' || !arg.startsWith('-') || arg === '-') {
      line.word = (arg === '--' ? args[i + 1] : arg) ?? null
      break
    }
    const [, name, , value] = /^--?([^=]*)(=(.*))?$/s.exec(arg)!
    if (name === '' || name!.startsWith('-')) throw new FlagError(`bad flag syntax: ${arg}`)
    const flag = flags.get(name!)
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`)
    const text = value ?? (flag.kind === 'boolean' ? 'true' : args[++i])
    if (text === undefined) throw new FlagError(`flag needs an argument: -${name}`)
    const plain = checked(flag.kind, name!, text)
    given.push({ name: name!, flag, text: plain })
    flag.note?.(line, plain)
  }
  return line
}

const SECRET = /^--?(user|pass|auth)(=.*)?$/s

/** The arguments without passwords, for lists of processes. */
export function withoutSecretArguments(args: readonly string[]): string[] {
  return args.map((arg, i) => {
    const before = args[i - 1]
    if (before !== undefined && SECRET.test(before) && !before.includes('=')) return '[REDACTED]'
    return SECRET.test(arg) && arg.includes('=') ? `${arg.slice(0, arg.indexOf('='))}=[REDACTED]` : arg
  })
}
