// The command ngs-server: command line -> options -> server, signals, exit codes.
import { logBanner } from './banner.ts'
import { ConfigError } from './config/language.ts'
import { readConfigFile, validateOptions } from './config/read.ts'
import { ServerError } from './errors.ts'
import { openProblem } from './file-problem.ts'
import { type CommandLine, FlagError, parseFlags, withoutSecretArguments } from './flags.ts'
import { Log } from './log.ts'
import { defaultOptions, type Options } from './options.ts'
import { quoteText } from './quote.ts'
import { Server } from './server.ts'
import { SignalError, sendSignal } from './signal-command.ts'
import { handleSignals } from './signals.ts'
import { TLS_USAGE, USAGE } from './usage.ts'
import { VERSION } from './version.ts'

const PROGRAM = 'ngs-server'

async function main(args: readonly string[]): Promise<number | undefined> {
  let line: CommandLine
  try {
    line = parseFlags(args)
  } catch (error) {
    if (!(error instanceof FlagError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.stdout.write(USAGE)
    // As the official server does: scripts know it.
    return 0
  }
  const word = line.word?.toLowerCase()
  const asked = line.version || line.help || line.helpTls
  if (line.version || (!asked && word === 'version')) return print(`${PROGRAM}: v${VERSION}\n`)
  if (line.help || (!asked && word === 'help')) return print(USAGE)
  if (line.helpTls) return print(TLS_USAGE)
  if (line.word !== null) return complain(`unrecognized command: ${quoteText(line.word)}`)
  if (line.signal !== '') {
    try {
      sendSignal(line.signal, PROGRAM)
      return 0
    } catch (error) {
      if (!(error instanceof SignalError)) throw error
      return complain(error.message)
    }
  }
  hideSecrets()

  const options = defaultOptions()
  const readOptions = (): Options => {
    const read = defaultOptions()
    readConfigFile(line.config, read)
    line.apply(read)
    validateOptions(read)
    return read
  }
  try {
    if (line.config !== '') {
      const { warnings } = readConfigFile(line.config, options)
      if (line.check && warnings.length > 0) return complain(`${warnings.join('\n')}\n`)
      for (const warning of warnings) process.stderr.write(`${warning}\n`)
    } else if (line.check)
      return complain('must specify [-c, --config] option to check configuration file syntax')
    if (line.check) {
      process.stderr.write(
        `${PROGRAM}: configuration file ${line.config} is valid (${options.configDigest})\n`,
      )
      return 0
    }
    line.apply(options)
    validateOptions(options)
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof ServerError)) throw error
    return complain(error.message)
  }

  let log: Log
  try {
    log = new Log(options)
  } catch (error) {
    return complain(`error opening file: ${openProblem(error as NodeJS.ErrnoException, options.logFile)}`)
  }
  const server = new Server(options, log)
  if (line.config !== '') server.readOptions = readOptions
  logBanner(server, PROGRAM)
  handleSignals(server, log)
  try {
    await server.listen()
  } catch (error) {
    if (!(error instanceof ServerError) && !(error instanceof ConfigError)) throw error
    log.fatal(error.message)
    return 1
  }
  return undefined
}

/** Lists of processes show this process by its own name, and no password. */
function hideSecrets(): void {
  const args = withoutSecretArguments(process.argv.slice(2))
  process.argv.splice(2, args.length, ...args)
  process.title = [PROGRAM, ...args].join(' ')
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function complain(text: string): number {
  process.stderr.write(`${PROGRAM}: ${text}\n`)
  return 1
}

const code = await main(process.argv.slice(2))
if (code !== undefined) process.exit(code)
