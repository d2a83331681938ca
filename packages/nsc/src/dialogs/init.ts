import type { InitPlan } from '../commands/init.ts'
import { failure, textOf } from '../errors.ts'
import { checkName, randomName } from '../names.ts'
import { atTerminal, type Session } from '../session.ts'
import { wellKnownOperators } from '../store/well-known.ts'
import { Terminal } from './terminal.ts'

/** For `init` without flags: where the stores are, which operator, and what to call things. */
export async function askInit(session: Session, plan: InitPlan): Promise<InitPlan> {
  if (!atTerminal(session))
    throw failure(
      'init asks questions when it is given no flags, and there is no terminal - ' +
        'name what to make: nsc init --name NAME, or join an operator: nsc init --remote-operator ngs --name NAME',
    )
  const terminal = new Terminal(session)
  const dir = await terminal.text({
    flag: 'dir',
    message: 'folder of the operator stores',
    initial: session.environment.abbreviate(plan.dir),
    problem: (text) => (text.trim() === '' ? 'a folder is needed' : null),
  })
  const known = wellKnownOperators(session.io.env)
  const choice = await terminal.choose({
    flag: 'remote-operator',
    message: 'operator',
    initial: 'create',
    options: [
      ...known.map(({ name, url }) => ({ value: url, label: name, hint: url })),
      { value: 'create', label: 'Create Operator', hint: 'for servers of your own' },
      { value: 'other', label: 'Other', hint: 'by the URL of its token' },
    ],
  })
  let operatorUrl: string | null = choice === 'create' ? null : choice
  if (choice === 'other')
    operatorUrl = await terminal.text({
      flag: 'url',
      message: 'operator URL',
      problem: (text) => (/^https?:\/\/\S/.test(text) ? null : 'an http or https URL is needed'),
    })
  const suggestion = randomName()
  const name = await terminal.text({
    flag: 'name',
    message: operatorUrl === null ? 'name of the operator, account and user' : 'name of the account and user',
    placeholder: suggestion,
    problem: (text) => (text === '' ? null : nameProblem(text)),
  })
  return { ...plan, dir: session.expand(dir), name: name || suggestion, operatorUrl }
}

function nameProblem(text: string): string | null {
  try {
    checkName(text)
    return null
  } catch (thrown) {
    return textOf(thrown)
  }
}
