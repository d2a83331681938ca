import type { Call } from '../cli/spec.ts'

export function run({ session, args }: Call): undefined {
  session.context.setAccount(args[0] ?? '')
}
