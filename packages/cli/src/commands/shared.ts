import type { Command } from 'commander'
import { DEFAULT_URL } from '../api/client.ts'
import { CliError } from '../errors.ts'
import type { Io } from '../io.ts'

export interface ServiceFlags {
  url?: string
  json?: boolean
}

/** The flags of every command that talks to the service. */
export function serviceFlags(command: Command): Command {
  return command
    .option(
      '--url <url>',
      'where the service is (default: $NGS_URL, else the one that the account came from)',
    )
    .option('--json', 'print JSON')
}

/**
 * Where the service is: the flag, NGS_URL, else what is known from elsewhere, else this machine.
 * @throws CliError bad-url
 */
export function serviceUrl(io: Io, flag: string | undefined, known: string | null = null): string {
  const [text, from] =
    flag !== undefined
      ? [flag, '--url']
      : io.env['NGS_URL']
        ? [io.env['NGS_URL'], 'NGS_URL']
        : [known ?? DEFAULT_URL, '']
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new CliError('bad-url', `${from} ${text}: must look like http://HOST:PORT or https://HOST`)
  }
  return text.replace(/\/+$/, '')
}

/** Prints a value as JSON, two spaces to the level. */
export function printJson(io: Io, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
