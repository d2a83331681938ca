import { styleText } from 'node:util'
import { TextPrompt } from '@clack/core'
import {
  autocomplete,
  confirm,
  isCancel,
  multiselect,
  S_BAR,
  S_BAR_END,
  select,
  symbol,
} from '@clack/prompts'
import { NscError } from '../errors.ts'
import type { Session } from '../session.ts'
import type { ChoiceQuestion, Front, TextQuestion } from './front.ts'

/** Lists longer than this are searched by typing. */
const SEARCHABLE = 12

/** Questions at a terminal. Control-C ends the command; a terminal that goes away does too. */
export class Terminal implements Front {
  private readonly ends: { input: Session['io']['stdin']; signal: AbortSignal }

  constructor({ io }: Session) {
    const gone = new AbortController()
    io.stdin.once('end', () => gone.abort())
    this.ends = { input: io.stdin, signal: gone.signal }
  }

  async text(question: TextQuestion): Promise<string> {
    return answered(await textWithProblems(question, this.ends))
  }

  async confirm({ message, initial }: { message: string; initial: boolean }): Promise<boolean> {
    return answered(await confirm({ ...this.ends, message, initialValue: initial }))
  }

  async choose({ message, options, initial }: ChoiceQuestion): Promise<string> {
    const question = {
      ...this.ends,
      message,
      options: [...options],
      ...(initial === undefined ? {} : { initialValue: initial }),
    }
    return answered(await (options.length > SEARCHABLE ? autocomplete(question) : select(question)))
  }

  async chooseMany({ message, options }: ChoiceQuestion): Promise<string[]> {
    return answered(
      await multiselect({
        ...this.ends,
        message,
        options: [...options],
        required: true,
        maxItems: SEARCHABLE,
      }),
    )
  }
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new NscError('cancelled', 'cancelled - nothing was changed')
  return answer as Exclude<T, symbol>
}

/** A text whose problem is shown as soon as there is one: the library's own field only looks when return is pressed. */
async function textWithProblems(
  { message, initial, placeholder, problem }: TextQuestion,
  ends: { input: Session['io']['stdin']; signal: AbortSignal },
): Promise<string | symbol> {
  const prompt = new TextPrompt({
    ...ends,
    ...(initial === undefined ? {} : { initialValue: initial }),
    ...(placeholder === undefined ? {} : { placeholder }),
    validate: (value) => problem(value ?? '') ?? undefined,
    render() {
      const head = `${styleText('gray', S_BAR)}\n${symbol(this.state)}  ${message}\n`
      const value = this.value ?? ''
      if (this.state === 'submit') return `${head}${styleText('gray', S_BAR)}  ${styleText('dim', value)}`
      if (this.state === 'cancel')
        return `${head}${styleText('gray', S_BAR)}  ${styleText(['strikethrough', 'dim'], value)}`
      const typed = this.userInput
      // An empty field is no mistake until return is pressed.
      const wrong = this.state === 'error' ? this.error : typed === '' ? null : problem(typed)
      const color = wrong ? 'yellow' : 'cyan'
      const field =
        typed === '' && placeholder
          ? `${styleText('inverse', placeholder.slice(0, 1))}${styleText('dim', placeholder.slice(1))}`
          : this.userInputWithCursor
      const foot = wrong ? `  ${styleText('yellow', wrong)}` : ''
      return `${head}${styleText(color, S_BAR)}  ${field}\n${styleText(color, S_BAR_END)}${foot}\n`
    },
  })
  return (await prompt.prompt()) ?? ''
}
