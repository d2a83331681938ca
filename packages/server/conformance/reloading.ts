// Reloads of a running engine, as operators do them: a new file and a SIGHUP.
import { writeFileSync } from 'node:fs'
import { type Engine, waitFor } from '@ngs/testkit'

const LISTEN = 'listen: "127.0.0.1:-1"\n'
const PREFIX = /^\[\d+\] (?:[\d/]+ [\d:.]+ )?/
const OUTCOME =
  /(Reloaded server configuration \(sha256:[0-9a-f]{64}\)|Failed to reload server configuration: .*)\n/

/** Level and text of each line of a log. */
export const texts = (log: string): string[] =>
  log
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(PREFIX, ''))

/** Writes the file and sends SIGHUP. */
export function request(server: Engine, config: string, listen = LISTEN): void {
  writeFileSync(server.configFile, listen + config.replaceAll('%DIR%', server.dir))
  server.kill('SIGHUP')
}

/** What the log has between the signal and the outcome, which is last. */
async function outcome(server: Engine, config: string, listen = LISTEN): Promise<string[]> {
  const before = server.log().length
  request(server, config, listen)
  const found = await waitFor(() => OUTCOME.exec(server.log().slice(before)), {
    what: () => `an outcome of the reload:\n${server.log()}`,
  })
  const lines = texts(server.log().slice(before, before + found.index + found[0].length))
  return lines.slice(lines.indexOf('[INF] Trapped "hangup" signal') + 1)
}

const REFUSAL = /^\[ERR\] Failed to reload server configuration: (.*)$/

/** Writes the file, sends SIGHUP and waits until it is in force. Returns the log lines in between. */
export async function reload(server: Engine, config: string): Promise<string[]> {
  const lines = await outcome(server, config)
  if (REFUSAL.test(lines.at(-1)!)) throw new Error(lines.at(-1))
  return lines
}

/** The reason of a reload that was refused. */
export async function refused(server: Engine, config: string, listen?: string): Promise<string> {
  const last = (await outcome(server, config, listen)).at(-1)!
  const reason = REFUSAL.exec(last)?.[1]
  if (reason === undefined) throw new Error(`the reload was not refused: ${last}`)
  return reason
}
