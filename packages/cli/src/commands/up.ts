import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { CliError, reasonOf, usageError } from '../errors.ts'
import { type Io, wantsColour } from '../io.ts'
import { DEFAULT_PORTS, parsePort, type Urls } from '../up/addresses.ts'
import { bannerText } from '../up/banner.ts'
import { dataDirOf } from '../up/data-dir.ts'
import { startSystem, type UpOptions } from '../up/system.ts'
import type { Register } from './register.ts'

interface Flags {
  dataDir?: string
  host: string
  port: string
  wsPort: string
  monitorPort: string
  httpPort: string
  portsFile?: string
  region?: string
  location?: string
  plans?: string
  publicUrl?: string
  engine?: string
  natsUrl?: string
  systemCreds?: string
  verbose?: boolean
  json?: boolean
}

const EXAMPLES = `
Examples:
  ngs up                                       the whole system on this machine
  ngs up --port 0 --ws-port 0 --monitor-port 0 --http-port 0 --ports-file ports.json
                                               on any free ports, for a test
  ngs up --host 0.0.0.0 --public-url http://ngs.example.com:8228
                                               for other machines as well
  ngs up --engine /usr/local/bin/nats-server   with the official server, same data directory
  ngs up --nats-url nats://cluster:4222 --system-creds sys.creds
                                               manage a cluster that runs already
`

export const registerUp: Register = (program, { io }) => {
  program
    .command('up')
    .helpGroup('Run the system:')
    .summary('run the whole system: message server and service')
    .description(
      'Makes or opens the data directory, starts the message server and the service, and says when both are ready. Runs until Ctrl-C.',
    )
    .option('--data-dir <dir>', 'where everything is kept (default: $NGS_DATA_DIR, else ~/.local/share/ngs)')
    .option('--host <address>', 'address to listen on; 0.0.0.0 = all of this machine', '127.0.0.1')
    .option('--port <n>', 'port for clients; 0 = any free, as for the other ports', `${DEFAULT_PORTS.nats}`)
    .option('--ws-port <n>', 'port for WebSocket clients', `${DEFAULT_PORTS.websocket}`)
    .option('--monitor-port <n>', 'port of the monitoring pages', `${DEFAULT_PORTS.monitoring}`)
    .option('--http-port <n>', 'port of the service', `${DEFAULT_PORTS.http}`)
    .option('--ports-file <file>', 'write the URLs to this file, as JSON, when everything is ready')
    .option('--region <name>', 'region of the server, as ngs.echo shows it')
    .option('--location <text>', 'place of the server, as ngs.active shows it')
    .option('--plans <file>', 'catalogue of plans (default: the built-in one)')
    .option('--public-url <url>', 'URL of the service as others reach it (default: its own address)')
    .option('--engine <path>', 'executable of another message server that takes the same configuration file')
    .addOption(
      new Option('--nats-url <url>', 'manage the cluster at this URL and start no server').conflicts([
        'engine',
        'region',
        'location',
      ]),
    )
    .option('--system-creds <file>', "credentials of a user of that cluster's system account")
    .option('-v, --verbose', "show the message server's whole log, not only its errors")
    .option('--json', 'print the URLs as one line of JSON in place of the banner')
    .addHelpText('after', EXAMPLES)
    .action((flags: Flags, command: Command) => up(flags, command, io))
}

async function up(flags: Flags, command: Command, io: Io): Promise<void> {
  const portsFile = flags.portsFile === undefined ? null : resolve(io.cwd, flags.portsFile)
  const options: UpOptions = {
    ...optionsOf(flags, command, io),
    locked() {
      // What an earlier run has left would say "ready" too early.
      if (portsFile !== null) removePortsFile(portsFile)
    },
  }
  const stopping = new AbortController()
  // npm and the terminal each pass a Ctrl-C on, so one press may come twice: all but the first mean nothing.
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        stopping.abort()
        resolve()
      })
    }
  })
  try {
    const system = await startSystem(options, stopping.signal)
    try {
      if (portsFile !== null) writePortsFile(portsFile, system.urls)
      io.stdout.write(
        flags.json === true
          ? `${JSON.stringify({ ...system.urls, data_dir: system.dataDir })}\n`
          : bannerText(system.urls, system.dataDir, wantsColour(io)),
      )
      await interrupted
      if (portsFile !== null) removePortsFile(portsFile)
    } finally {
      await system.stop()
    }
  } catch (error) {
    // Stopped by a person before it was ready: all is stopped, which is what was asked for.
    if (!stopping.signal.aborted) throw error
  }
}

function optionsOf(flags: Flags, command: Command, io: Io): Omit<UpOptions, 'locked'> {
  if ((flags.natsUrl === undefined) !== (flags.systemCreds === undefined)) {
    const [has, lacks] =
      flags.natsUrl === undefined
        ? ['--system-creds', '--nats-url URL']
        : ['--nats-url', '--system-creds FILE']
    throw usageError(`${has} manages an existing cluster and needs ${lacks} too`)
  }
  if (flags.natsUrl !== undefined) {
    for (const [name, flag] of [
      ['port', '--port'],
      ['wsPort', '--ws-port'],
      ['monitorPort', '--monitor-port'],
    ] as const) {
      if (command.getOptionValueSource(name) === 'cli') {
        throw usageError(
          `${flag} makes no sense with --nats-url, which starts no server; leave one of them out`,
        )
      }
    }
  }
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(io.cwd, file))
  const plansFile = path(flags.plans)
  const engine = flags.engine?.includes('/') ? path(flags.engine) : flags.engine
  return {
    dataDir: dataDirOf(io, flags.dataDir),
    host: flags.host,
    ports: {
      nats: parsePort('--port', flags.port),
      websocket: parsePort('--ws-port', flags.wsPort),
      monitoring: parsePort('--monitor-port', flags.monitorPort),
      http: parsePort('--http-port', flags.httpPort),
    },
    ...(flags.region === undefined ? {} : { region: flags.region }),
    ...(flags.location === undefined ? {} : { location: flags.location }),
    ...(plansFile === undefined ? {} : { plansFile }),
    ...(flags.publicUrl === undefined ? {} : { publicUrl: flags.publicUrl.replace(/\/+$/, '') }),
    ...(engine === undefined ? {} : { engine }),
    ...(flags.natsUrl === undefined
      ? {}
      : { cluster: { url: flags.natsUrl, systemCreds: path(flags.systemCreds)! } }),
    serverLog(line) {
      // Warnings are about its configuration, which is ours; why it did not start is in the error.
      if (flags.verbose === true || /\[(?:ERR|FTL)\]/.test(line)) io.stderr.write(`server: ${line}\n`)
    },
    note(text) {
      io.stderr.write(`ngs: ${text}\n`)
    },
  }
}

function removePortsFile(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch (error) {
    throw portsFileError(file, error)
  }
}

/** Atomic: whoever waits for the file sees all of it or nothing. */
function writePortsFile(file: string, urls: Urls): void {
  const temporary = `${file}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify(urls)}\n`)
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw portsFileError(file, error)
  }
}

function portsFileError(file: string, error: unknown): CliError {
  return new CliError(
    'ports-file',
    `cannot write the ports file ${file}: ${reasonOf(error)}; name another with --ports-file`,
  )
}
