import { CliError } from '../errors.ts'
import { forward, forwarded } from './forward.ts'
import type { Register } from './register.ts'

/** With a thing to edit this is nsc's verb; alone it will be the owner's change of plan. */
export const registerEdit: Register = (program, { io, exit }) => {
  forwarded(program, 'edit')
    .helpGroup('Forwarded to nsc:')
    .summary('edit accounts, users, exports and signing keys')
    .action(async (args: string[]) => {
      if (args.length === 0) {
        throw new CliError(
          'not-yet',
          'changing your own plan is not possible yet; see the plans with ngs plans and ask the operator, who runs ngs operator plan ACCOUNT PLAN (ngs edit account|user|export|signing-key edits those)',
        )
      }
      exit(await forward(['edit', ...args], io))
    })
}
