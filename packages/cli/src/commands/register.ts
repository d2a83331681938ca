import type { Command } from 'commander'
import type { Io } from '../io.ts'

/** What a command is given when it is registered. */
export interface Registration {
  readonly io: Io
  /** Sets an exit code other than 0 for a command that has already said everything. */
  exit(code: number): void
}

/** Adds one command, or one group, to the program. */
export type Register = (program: Command, registration: Registration) => void
