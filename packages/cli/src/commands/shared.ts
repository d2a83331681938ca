import type { Command } from 'commander'
import { ownAccount } from '../api/account.ts'
import { DEFAULT_URL, ServiceClient } from '../api/client.ts'
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

export interface OwnerFlags extends ServiceFlags {
  account?: string
}

/** The flags of a command about one's own account. */
export function ownerFlags(command: Command): Command {
  return serviceFlags(command).option(
    '-a, --account <name>',
    "name or public key of the account (default: nsc's current one)",
  )
}

/** Signs in as the owner of the account that the flags mean. */
export async function signInAsOwner(flags: OwnerFlags, io: Io): Promise<ServiceClient> {
  const account = await ownAccount(io, flags.account)
  const client = new ServiceClient(serviceUrl(io, flags.url, account.serviceUrl))
  return client.signIn(account.publicKey, account.key())
}
