import type { Report } from '../report.ts'
import type { Session } from '../session.ts'
import type { FlagSpec } from './flag-spec.ts'
import type { FlagValues } from './flags.ts'
import type { Entry } from './program.ts'

export type { FlagSpec, FlagType } from './flag-spec.ts'

/**
 * Commands are tables: what they are called, which flags they take, examples, and where their code is. Help, parsing
 * and the checks of the tests all derive from them; the code of a command is loaded only when it runs.
 */

/** What the code of a command gets. */
export interface Call {
  session: Session
  flags: FlagValues
  args: readonly string[]
  /** What can follow `nsc`, for commands about commands. */
  entries: readonly Entry[]
  /** Says that the call was right and work has started: errors from now on come without the usage. */
  begin(): void
}

/** The code of a command. A report is printed by the caller; data goes to the session's output directly. */
export type Run = (call: Call) => Promise<Report | undefined> | Report | undefined

export interface CommandSpec {
  name: string
  aliases?: readonly string[]
  summary: string
  /** What stands for the positional arguments in the usage line, and how many there may be. */
  args?: { usage: string; min?: number; max?: number }
  flags?: readonly FlagSpec[]
  examples?: readonly string[]
  hidden?: boolean
  /** Leaves the usage out after errors, other than missing values. */
  quiet?: boolean
  /** Has a --json flag that prints the report as JSON. */
  jsonReport?: boolean
  /** Works without an operator being chosen; all others are refused before they look at their flags. */
  storeless?: boolean
  /** Commands that help to get away from a store of the first format. */
  worksOnOldStore?: boolean
  /** The command that migrates keystores of the first layout. */
  worksOnOldKeystore?: boolean
  load: () => Promise<{ run: Run }>
}

export interface GroupSpec {
  name: string
  aliases?: readonly string[]
  summary: string
  /** Flags of every command in the group. */
  flags?: readonly FlagSpec[]
  commands: readonly (CommandSpec | GroupSpec)[]
}

/** Whether the words so far name a group, which prints its help, and not a command. */
export function isGroup(spec: CommandSpec | GroupSpec): spec is GroupSpec {
  return 'commands' in spec
}
