// The command ngs-server: command line -> options -> server, signals, exit codes.
import { ConfigError } from './config/language.ts'
import { readConfigFile, validateOptions } from './config/read.ts'
import { ServerError } from './errors.ts'
import { type CommandLine, FlagError, parseFlags, USAGE } from './flags.ts'
import { Log } from './log.ts'
import { defaultOptions, type Options } from './options.ts'
import { Server } from './server.ts'
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
  const word = line.word.toLowerCase()
  if (line.version || word === 'version') {
    process.stdout.write(`${PROGRAM}: v${VERSION}\n`)
    return 0
  }
  if (line.help || word === 'help') {
    process.stdout.write(USAGE)
    return 0
  }
  if (word !== '') return complain(`unrecognized command: ${JSON.stringify(line.word)}`)

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
    if (!(error instanceof ConfigError)) throw error
    return complain(line.check ? `${error.message}\n` : error.message)
  }

  let log: Log
  try {
    log = new Log(options)
  } catch (error) {
    return complain(`error opening file: ${(error as Error).message}`)
  }
  const server = new Server(options, log)
  if (line.config !== '') server.readOptions = readOptions
  log.info(`Starting ${PROGRAM}`)
  log.info(`  Version:  ${VERSION}`)
  log.info('  Git:      [not set]')
  log.info(`  Name:     ${server.name}`)
  log.info(`  ID:       ${server.id}`)
  if (options.configFile !== '')
    log.info(`Using configuration file: ${options.configFile} (${options.configDigest})`)

  const stop = (name: string) => async () => {
    log.info(`Trapped "${name}" signal`)
    await server.stop()
    process.exit(0)
  }
  process.on('SIGINT', stop('interrupt'))
  process.on('SIGTERM', stop('terminated'))
  process.on('SIGHUP', () => {
    log.info('Trapped "hangup" signal')
    server
      .reload()
      .catch((error: Error) => log.error(`Failed to reload server configuration: ${error.message}`))
  })
  process.on('SIGUSR1', () => {
    log.info('Trapped "user defined signal 1" signal')
    log.reopen()
  })
  try {
    await server.listen()
  } catch (error) {
    if (!(error instanceof ServerError) && !(error instanceof ConfigError)) throw error
    log.fatal(error.message)
    return 1
  }
  return undefined
}

function complain(text: string): number {
  process.stderr.write(`${PROGRAM}: ${text}\n`)
  return 1
}

const code = await main(process.argv.slice(2))
if (code !== undefined) process.exit(code)
