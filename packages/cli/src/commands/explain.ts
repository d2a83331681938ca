import {
  didSign,
  type ExplainInput,
  type Explanation,
  explain,
  hasWildcard,
  IdentityError,
  isValidSubject,
  type OperatorClaims,
} from '@ngs/identity/node'
import { Directory } from '../api/users.ts'
import { CliError, EXIT, usageError } from '../errors.ts'
import { type Io, wantsColour } from '../io.ts'
import { painter } from '../output/paint.ts'
import type { Register } from './register.ts'
import { printJson } from './shared.ts'

interface Flags {
  from: string
  to: string
  request?: boolean
  inbox?: string
  size?: string
  jwt: string[]
  json?: boolean
}

const EXAMPLES = `
Users are given as ACCOUNT/USER, as USER of the current account, by public key, or by a creds or token file.
The exit code is 0 for a yes, 1 for a no, and 2 where there is no answer.

Examples:
  ngs explain --from First/bob --to Second/listener weather.CA
  ngs explain --request --from Second/asker --to First/bob ip.geo
  ngs explain --from bob.creds --to Second/listener weather.CA --json
  ngs explain --from bob --to other.creds --jwt their-account.jwt news.today
`

export const registerExplain: Register = (program, { io, exit }) => {
  program
    .command('explain')
    .helpGroup('Your account:')
    .summary('say whether what one user publishes can reach another, and if not, why')
    .description(
      'Says from the tokens alone whether a message or request of one user can reach another, step by step.',
    )
    .argument('<subject>', 'subject that is published to')
    .requiredOption('--from <user>', 'who publishes')
    .requiredOption('--to <user>', 'who is to receive it')
    .option('--request', 'a request: the answer has to come back as well')
    .option('--inbox <prefix>', 'where answers are sent to', '_INBOX')
    .option('--size <bytes>', 'size of the message, for limits')
    .option(
      '--jwt <file>',
      'token of an account that is not in the store; may be given several times',
      collect,
      [],
    )
    .option('--json', 'print JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (subject: string, flags: Flags) => exit(await answered(subject, flags, io)))
}

function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** A question without an answer must not look like a no. */
async function answered(subject: string, flags: Flags, io: Io): Promise<number> {
  try {
    return await run(subject, flags, io)
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    throw new CliError(error.code, error.message, { exitCode: EXIT.usage, details: error.details })
  }
}

async function run(subject: string, flags: Flags, io: Io): Promise<number> {
  const size = flags.size === undefined ? 0 : Number(flags.size)
  if (!Number.isSafeInteger(size) || size < 0)
    throw usageError(`--size ${flags.size}: must be a number of bytes`)
  if (!isValidSubject(subject) || hasWildcard(subject))
    throw usageError(`${JSON.stringify(subject)} is no subject that one can publish to`)
  const directory = await Directory.open(io, flags.jwt)
  const [from, to] = [directory.user(flags.from), directory.user(flags.to)]
  const input: ExplainInput = {
    operators: operatorsFor(directory),
    accounts: directory.accounts,
    from,
    to,
    subject,
    request: flags.request ?? false,
    inbox: flags.inbox ?? '_INBOX',
    size,
  }
  let explained: Explanation
  try {
    explained = explain(input)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw new CliError('cannot-explain', `${error.message}; add tokens of accounts with --jwt FILE`)
  }
  if (flags.json === true) printJson(io, { from: flags.from, to: flags.to, subject, ...explained })
  else io.stdout.write(`${render(subject, flags, explained, io)}\n`)
  return explained.reaches ? EXIT.ok : EXIT.failed
}

/** Operators count only where they are known for all accounts: a token that somebody sent may be signed by another one. */
function operatorsFor({ operators, accounts }: Directory): readonly OperatorClaims[] {
  const foreign = accounts.some(
    (account) => account.iss !== account.sub && !operators.some((operator) => didSign(operator, account)),
  )
  return foreign ? [] : operators
}

function render(subject: string, flags: Flags, explained: Explanation, io: Io): string {
  const paint = painter(wantsColour(io))
  const { reaches, chance, received, steps, fix, notes } = explained
  const what = `${flags.request ? 'request' : 'message'} on ${JSON.stringify(subject)}`
  const arrives = received && received.subject !== subject ? `, as ${JSON.stringify(received.subject)}` : ''
  const share = reaches && chance < 100 ? `, for ${chance} % of the messages` : ''
  const head = reaches
    ? paint('green', `yes: the ${what} of ${flags.from} reaches ${flags.to}${arrives}${share}`)
    : paint('red', `no: the ${what} of ${flags.from} does not reach ${flags.to}`)
  const width = Math.max(...steps.map(({ stage }) => stage.length))
  const lines = steps.map(
    ({ ok, stage, text }) =>
      `  ${ok ? paint('green', '✓') : paint('red', '✗')} ${stage.padEnd(width)}  ${text}`,
  )
  const tail = [...notes.map((note) => paint('dim', `  note: ${note}`))]
  if (fix !== null) tail.push('', 'to change that:', `  ${paint('bold', fix)}`)
  else if (!reaches) tail.push('', 'no command of nsc changes that by itself')
  return [head, ...lines, ...tail].join('\n')
}
