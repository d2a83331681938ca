import { failure, NscError } from '../errors.ts'
import { atTerminal, type Session } from '../session.ts'
import { operatorNames } from '../store/operator-store.ts'
import { Asker, type Dialog, type DialogCall } from './asker.ts'
import { type Front, Recorder } from './front.ts'

/**
 * Interactive mode. A command's dialog asks for what its flags would say; -i asks for everything, and at a terminal
 * what the command cannot do without is asked for anyway. Without a terminal nothing is ever asked: errors name the flags.
 */

/** Dialogs by command; those of one theme share a file. */
const DIALOGS: Record<string, () => Promise<Dialog>> = {
  'add account': async () => (await import('./add.ts')).addAccount,
  'add export': async () => (await import('./exports.ts')).addExport,
  'add import': async () => (await import('./imports.ts')).addImport,
  'add operator': async () => (await import('./add.ts')).addOperator,
  'add user': async () => (await import('./add.ts')).addUser,
  'delete account': async () => (await import('./delete.ts')).deleteAccount,
  'delete export': async () => (await import('./exports.ts')).deleteExport,
  'delete import': async () => (await import('./imports.ts')).deleteImport,
  'delete mapping': async () => (await import('./use.ts')).onAccount,
  'delete user': async () => (await import('./delete.ts')).deleteUser,
  'describe account': async () => (await import('./use.ts')).namedAccount,
  'describe user': async () => (await import('./use.ts')).namedUser,
  'edit account': async () => (await import('./edit.ts')).editAccount,
  'edit export': async () => (await import('./exports.ts')).editExport,
  'edit operator': async () => (await import('./edit.ts')).editOperator,
  'edit user': async () => (await import('./edit.ts')).editUser,
  'generate activation': async () => (await import('./exports.ts')).generateActivation,
  'generate creds': async () => (await import('./use.ts')).namedUser,
  'list users': async () => (await import('./use.ts')).onAccount,
  migrate: async () => (await import('./migrate.ts')).migrate,
  pull: async () => (await import('./sync.ts')).pull,
  push: async () => (await import('./sync.ts')).push,
  'revocations add-user': async () => (await import('./revocations.ts')).addUser,
  'revocations add_activation': async () => (await import('./revocations.ts')).addActivation,
  'revocations delete-user': async () => (await import('./revocations.ts')).deleteUser,
  'revocations delete_activation': async () => (await import('./revocations.ts')).deleteActivation,
  'revocations list-users': async () => (await import('./use.ts')).onAccount,
  'revocations list_activations': async () => (await import('./use.ts')).onAccount,
  'tool pub': async () => (await import('./use.ts')).tool,
  'tool reply': async () => (await import('./use.ts')).tool,
  'tool req': async () => (await import('./use.ts')).tool,
  'tool rtt': async () => (await import('./use.ts')).tool,
  'tool sub': async () => (await import('./use.ts')).tool,
  validate: async () => (await import('./sync.ts')).validate,
}

/** Commands that have a dialog. */
export const DIALOG_COMMANDS: readonly string[] = Object.keys(DIALOGS)

/**
 * Completes the flags of a call by asking.
 *
 * @param path the command, such as `add user`
 */
export async function converse(path: string, call: DialogCall, needs: { operator: boolean }): Promise<void> {
  const { session } = call
  const terminal = atTerminal(session)
  if (!terminal && !session.interactive) return
  const dialog = await DIALOGS[path]?.()
  const asks = dialog !== undefined || needs.operator
  if (!asks) return
  if (!terminal) return refuse(call, dialog, needs)
  const ask = new Asker(call, lazyTerminal(session), session.interactive)
  if (needs.operator) await chooseOperator(ask)
  await dialog?.(ask)
}

/** The library of prompts is loaded with the first question. */
function lazyTerminal(session: Session): Front {
  let loaded: Promise<Front> | null = null
  const front = () => {
    loaded ??= import('./terminal.ts').then(({ Terminal }) => new Terminal(session))
    return loaded
  }
  return {
    text: async (question) => (await front()).text(question),
    confirm: async (question) => (await front()).confirm(question),
    choose: async (question) => (await front()).choose(question),
    chooseMany: async (question) => (await front()).chooseMany(question),
  }
}

/** Several operators and none chosen: which one, for this run. */
async function chooseOperator(ask: Asker): Promise<void> {
  const { context } = ask.session
  if (context.operator !== '' || context.storeRoot === '') return
  const names = operatorNames(context.storeRoot)
  if (names.length < 2) return
  context.operator = await ask.pick(
    'operator',
    'operator',
    names.map((name) => ({ value: name, label: name })),
  )
  context.complete()
}

/** -i without a terminal: says which flags answer the questions. */
async function refuse(
  call: DialogCall,
  dialog: Dialog | undefined,
  needs: { operator: boolean },
): Promise<void> {
  if (!dialog) return
  if (needs.operator) call.session.store()
  const recorder = new Recorder()
  try {
    await dialog(new Asker(call, recorder, true))
  } catch (thrown) {
    // The questions so far are what counts; what is wrong with the store is said by the command itself.
    if (!(thrown instanceof NscError)) throw thrown
  }
  const flags = [...new Set(recorder.flags)].map((flag) => `--${flag}`)
  if (flags.length === 0) return
  throw failure(
    `-i asks questions, and there is no terminal - leave it out and give the values as flags: ${flags.join(', ')}`,
  )
}
