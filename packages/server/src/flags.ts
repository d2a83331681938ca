// The command line, in the syntax of Go's flag package: one or two dashes, `-p 1` or `-p=1`, booleans alone or with `=`.
import { OPTION_ROWS } from './option-table.ts'
import type { Options } from './options.ts'

export class FlagError extends Error {}

export interface CommandLine {
  config: string
  check: boolean
  help: boolean
  version: boolean
  /** Sets on top of the file whatever was given. */
  apply(options: Options): void
  /** First word that is no flag. */
  word: string
}

type Setter = (options: Options, text: string) => void
interface Flag {
  boolean: boolean
  set: Setter
}

function table(line: CommandLine): Map<string, Flag> {
  const flags = new Map<string, Flag>()
  const add = (names: string[], boolean: boolean, set: Setter): void => {
    for (const name of names) flags.set(name, { boolean, set })
  }
  for (const row of OPTION_ROWS) {
    if (row.flags === undefined) continue
    const numeric = row.type === 'integer' || row.type === 'port'
    add([...row.flags], row.type === 'boolean', (options, text) => {
      const target = options as unknown as Record<string, unknown>
      target[row.field] = row.type === 'boolean' ? text === 'true' : numeric ? Number(text) : text
    })
  }
  const on = (text: string): boolean => text === 'true'
  add(['DV'], true, (options, text) => {
    options.debug = on(text)
    options.trace = on(text)
  })
  add(['DVV'], true, (options, text) => {
    options.debug = on(text)
    options.trace = on(text)
  })
  add(['VV'], true, (options, text) => {
    options.trace = on(text)
  })
  add(['user'], false, (options, text) => {
    options.user = text
  })
  add(['pass'], false, (options, text) => {
    options.password = text
  })
  add(['auth'], false, (options, text) => {
    options.token = text
  })
  add(['c', 'config'], false, (_options, text) => {
    line.config = text
  })
  add(['t'], true, (_options, text) => {
    line.check = on(text)
  })
  add(['h', 'help'], true, (_options, text) => {
    line.help = on(text)
  })
  add(['v', 'version'], true, (_options, text) => {
    line.version = on(text)
  })
  return flags
}

const TRUE = ['1', 't', 'T', 'true', 'TRUE', 'True']
const FALSE = ['0', 'f', 'F', 'false', 'FALSE', 'False']

/** @throws FlagError with the text of Go's flag package. */
export function parseFlags(args: readonly string[]): CommandLine {
  const given: { flag: Flag; text: string }[] = []
  const line: CommandLine = {
    config: '',
    check: false,
    help: false,
    version: false,
    word: '',
    apply: (options) => {
      for (const { flag, text } of given) flag.set(options, text)
      if (options.port === 0) options.port = 4222
    },
  }
  const flags = table(line)
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (arg === '--' || !arg.startsWith('-') || arg === '-') {
      line.word = (arg === '--' ? args[i + 1] : arg) ?? ''
      break
    }
    const [, name, , value] = /^--?([^=]*)(=(.*))?$/s.exec(arg)!
    const flag = flags.get(name!)
    if (flag === undefined) throw new FlagError(`flag provided but not defined: -${name}`)
    let text: string
    if (flag.boolean) {
      const word = value ?? 'true'
      if (!TRUE.includes(word) && !FALSE.includes(word))
        throw new FlagError(`invalid boolean value ${JSON.stringify(word)} for -${name}: parse error`)
      text = TRUE.includes(word) ? 'true' : 'false'
    } else {
      const next = value ?? args[++i]
      if (next === undefined) throw new FlagError(`flag needs an argument: -${name}`)
      text = next
      const row = OPTION_ROWS.find((candidate) => candidate.flags?.includes(name!))
      if ((row?.type === 'integer' || row?.type === 'port') && !/^-?\d+$/.test(text))
        throw new FlagError(`invalid value ${JSON.stringify(text)} for flag -${name}: parse error`)
    }
    given.push({ flag, text })
  }
  // What names the file and the mode has no place in the options; setting it on nothing fills the line itself.
  for (const { flag, text } of given) flag.set({} as Options, text)
  return line
}

export const USAGE = `
Usage: ngs-server [options]

Server Options:
    -a, --addr, --net <host>         Bind to host address (default: 0.0.0.0)
    -p, --port <port>                Use port for clients (default: 4222, -1 for any free one)
    -n, --name, --server_name <name> Server name (default: server id)
    -P, --pid <file>                 File to store the process id in
    -m, --http_port <port>           Use port for http monitoring (-1 for any free one)
    -c, --config <file>              Configuration file
    -t                               Test the configuration and exit
        --client_advertise <string>  Client URL to advertise
        --ports_file_dir <dir>       Creates a ports file in the specified directory (<executable_name>_<pid>.ports)

Logging Options:
    -l, --log <file>                 File to redirect log output to
    -T, --logtime                    Timestamp log entries (default: true)
        --logtime_utc                Timestamps in UTC instead of local time
    -D, --debug                      Enable debugging output
    -V, --trace                      Trace the raw protocol
    -DV                              Debug and trace
        --max_traced_msg_len <len>   Maximum printable length for traced messages (default: unlimited)

Authorization Options:
        --user <user>                User required for connections
        --pass <password>            Password required for connections
        --auth <token>               Authorization token required for connections

Common Options:
    -h, --help                       Show this message
    -v, --version                    Show version

Examples:
    ngs-server                       Listen on 0.0.0.0:4222
    ngs-server -p -1 -m 8222 -D      Any free port, monitoring on 8222, debug log
    ngs-server -c nats-server.conf   Run from a configuration file of nats-server
    ngs-server -t -c my.conf         Check a configuration file
`
