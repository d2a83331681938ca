import type { FlagValues } from './cli/flags.ts'
import type { CommandSpec } from './cli/spec.ts'
import type { InitPlan } from './commands/init.ts'
import { failure, NscError } from './errors.ts'
import { randomName } from './names.ts'
import type { Session } from './session.ts'
import { wellKnownOperators } from './store/well-known.ts'

/** Questions for people at a terminal. Without one nothing is ever asked: the error says which flag answers it. */

type Library = typeof import('@clack/prompts')

/** The prompts, and what ends them when the terminal goes away: a question nobody can answer must not wait. */
interface Prompts {
  library: Library
  ends: { input: Session['io']['stdin']; signal: AbortSignal }
}

async function prompts(session: Session): Promise<Prompts | null> {
  const { stdin } = session.io
  if (!stdin.isTTY) return null
  const gone = new AbortController()
  stdin.once('end', () => gone.abort())
  return { library: await import('@clack/prompts'), ends: { input: stdin, signal: gone.signal } }
}

/** Unwraps an answer; control-C ends the command. */
function answered<T>(library: Library, answer: T): Exclude<T, symbol> {
  if (library.isCancel(answer)) throw new NscError('cancelled', 'cancelled - nothing was changed')
  return answer as Exclude<T, symbol>
}

/** For `-i`: asks for the flags that the command's questions are about and that were not given. */
export async function askMissing(session: Session, command: CommandSpec, flags: FlagValues): Promise<void> {
  const open = (command.questions ?? []).filter(({ flag }) => !flags.has(flag))
  if (open.length === 0) return
  const terminal = await prompts(session)
  if (!terminal) {
    const names = open.map(({ flag }) => `--${flag}`).join(', ')
    throw failure(
      `-i asks questions, and standard input is not a terminal - give the values as flags: ${names}`,
    )
  }
  const { library, ends } = terminal
  for (const { flag, ask, kind, required } of open) {
    const spec = command.flags?.find(({ name }) => name === flag)
    if (!spec) continue
    if (kind === 'confirm') {
      const yes = answered(library, await library.confirm({ ...ends, message: ask, initialValue: false }))
      if (yes) flags.set(spec, 'true')
      continue
    }
    const text = answered(
      library,
      await library.text({
        ...ends,
        message: ask,
        validate: (value) => (required && !value ? 'a value is needed' : undefined),
      }),
    )
    if (text) flags.set(spec, text)
  }
}

/** For `init` without flags: which operator, and what to call things. */
export async function askInit(session: Session, plan: InitPlan): Promise<InitPlan> {
  const terminal = await prompts(session)
  if (!terminal)
    throw failure(
      'init asks questions when it is given no flags, and standard input is not a terminal - ' +
        'name what to make: nsc init --name NAME, or join an operator: nsc init --remote-operator ngs --name NAME',
    )
  const { library, ends } = terminal
  const known = wellKnownOperators(session.io.env)
  const choice = answered(
    library,
    await library.select({
      ...ends,
      message: 'Select an operator',
      options: [
        ...known.map(({ name, url }) => ({ value: url, label: name, hint: url })),
        { value: 'create', label: 'Create Operator', hint: 'for servers of your own' },
        { value: 'other', label: 'Other', hint: 'by the URL of its token' },
      ],
    }),
  )
  let operatorUrl: string | null = choice === 'create' ? null : choice
  if (choice === 'other')
    operatorUrl = answered(
      library,
      await library.text({
        ...ends,
        message: 'Operator URL',
        validate: (value) =>
          /^https?:\/\//.test(value ?? '') ? undefined : 'an http or https URL is needed',
      }),
    )
  const suggestion = randomName()
  const name = answered(
    library,
    await library.text({
      ...ends,
      message: operatorUrl === null ? 'name your operator, account and user' : 'name your account and user',
      placeholder: suggestion,
      defaultValue: suggestion,
    }),
  )
  return { ...plan, name, operatorUrl }
}
