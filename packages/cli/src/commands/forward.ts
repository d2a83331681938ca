// The verbs of nsc that are reachable as `ngs VERB ...`: the same code, the same flags, the same output.
import type { Command } from 'commander'
import type { Io } from '../io.ts'
import type { Register } from './register.ts'

const FORWARDED: Readonly<Record<string, string>> = {
  add: 'add users, exports, imports, mappings and further accounts',
  delete: 'delete users, exports, imports, mappings and accounts',
  describe: 'describe the operator, accounts, users and tokens',
  list: 'list accounts, users and keys',
  generate: 'generate creds, activations, keys and configuration',
  validate: 'check accounts and users for mistakes',
  revocations: 'revoke users and activations',
  push: 'push accounts to the service',
  pull: 'pull accounts from the service',
  tool: 'publish, subscribe, request, reply, measure the round trip',
  env: 'show or choose the current operator and account',
  select: 'choose the current operator or account',
}

/** Hands a command line over to nsc as it is. */
export async function forward(argv: readonly string[], io: Io): Promise<number> {
  const { runNsc } = await import('@ngs/nsc')
  return runNsc(argv, io)
}

export const registerForwarded: Register = (program, { io, exit }) => {
  for (const [verb, summary] of Object.entries(FORWARDED)) {
    forwarded(program, verb)
      .helpGroup('Forwarded to nsc:')
      .summary(summary)
      .action(async (args: string[]) => exit(await forward([verb, ...args], io)))
  }
}

/** A command that takes anything, --help included: nsc answers it. */
export function forwarded(program: Command, verb: string): Command {
  return program
    .command(verb)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument('[arguments...]')
    .usage('[command] [flags]')
}
