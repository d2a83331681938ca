// `--signal COMMAND[=PID]`: sends a running server a signal.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { quoteText } from './quote.ts'

const COMMANDS: ReadonlyMap<string, NodeJS.Signals> = new Map([
  ['stop', 'SIGKILL'],
  ['quit', 'SIGINT'],
  ['term', 'SIGTERM'],
  ['reopen', 'SIGUSR1'],
  ['reload', 'SIGHUP'],
  ['ldm', 'SIGUSR2'],
])

/** Why no signal was sent, or not to all. */
export class SignalError extends Error {}

/**
 * Sends the signal. The part behind `=` is a pid, a file with one, or the beginning of pids with a `*` behind it; without it the only
 * running server is meant.
 * @throws SignalError with the text of the official server.
 */
export function sendSignal(parameter: string, program: string): void {
  const [command, target, ...more] = parameter.split('=')
  if (more.length > 0) throw new SignalError(`invalid signal parameters: [${more.join(' ')}]`)
  const expression = target === undefined ? '' : pidFrom(target)
  const isPrefix = expression.endsWith('*')
  const prefix = isPrefix ? expression.slice(0, -1) : expression
  if (prefix !== '' && !/^[-+]?\d+$/.test(prefix)) throw new SignalError(`invalid pid: ${prefix}`)
  const pids = prefix === '' || isPrefix ? runningServers(program) : [Number(prefix)]
  if (pids.length > 1 && !isPrefix)
    throw new SignalError([`multiple ${program} processes running:`, ...pids].join('\n'))
  if (pids.length === 0) throw new SignalError(`no ${program} processes running`)
  const signal = COMMANDS.get(command!)
  if (signal === undefined) throw new SignalError(`unknown signal ${quoteText(command!)}`)
  let failures = ''
  for (const pid of pids) {
    if (isPrefix && !`${pid}`.startsWith(prefix)) continue
    try {
      process.kill(pid, signal)
    } catch (error) {
      failures += `\nsignal ${quoteText(command!)} ${pid}: ${killProblem(error as NodeJS.ErrnoException)}`
    }
  }
  if (failures !== '') throw new SignalError(failures)
}

/** What a file of that name holds, else the text itself. */
function pidFrom(text: string): string {
  try {
    return readFileSync(text, 'utf8')
  } catch {
    return text
  }
}

function killProblem({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ESRCH') return 'no such process'
  return code === 'EPERM' ? 'operation not permitted' : message
}

/** Processes of this program besides this one, by the title that they give themselves. */
function runningServers(program: string): number[] {
  let output: string
  try {
    output = execFileSync('pgrep', [program], { encoding: 'utf8' })
  } catch (error) {
    // 1: none was found.
    if ((error as { status?: number }).status === 1) return []
    throw new SignalError('unable to resolve pid, try providing one')
  }
  const pids = output.split('\n').filter((line) => line !== '')
  return pids.map(Number).filter((pid) => pid !== process.pid)
}
