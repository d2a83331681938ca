import type { Call, Run } from '../cli/spec.ts'
import { completionScript, type Shell } from '../completion/scripts.ts'

/** Prints the script of one shell. */
export function printScript(shell: Shell): Run {
  return ({ session, flags }: Call) => {
    session.io.stdout.write(completionScript(shell, !flags.switch('no-descriptions')))
    return undefined
  }
}
