/** A question, for whatever puts it: a terminal, or the list of what would be asked. */
interface Question {
  /** The flag that answers it. */
  flag: string
  message: string
}

export interface TextQuestion extends Question {
  initial?: string
  placeholder?: string
  /** Why a text is no answer, null when it is one. Shown while the text is typed. */
  problem: (text: string) => string | null
}

export interface Choice {
  value: string
  label: string
  hint?: string
}

export interface ChoiceQuestion extends Question {
  options: readonly Choice[]
  initial?: string
}

/** Puts questions and brings answers. */
export interface Front {
  text(question: TextQuestion): Promise<string>
  confirm(question: Question & { initial: boolean }): Promise<boolean>
  choose(question: ChoiceQuestion): Promise<string>
  chooseMany(question: ChoiceQuestion): Promise<string[]>
}

/**
 * Asks nobody, and remembers which flags the questions were about. Answers are what a person who only presses return
 * would give, so the list is that of the usual way through a dialog.
 */
export class Recorder implements Front {
  readonly flags: string[] = []

  async text({ flag, initial }: TextQuestion): Promise<string> {
    this.flags.push(flag)
    return initial ?? ''
  }

  async confirm({ flag, initial }: Question & { initial: boolean }): Promise<boolean> {
    this.flags.push(flag)
    return initial
  }

  async choose({ flag, initial, options }: ChoiceQuestion): Promise<string> {
    this.flags.push(flag)
    return initial ?? options[0]?.value ?? ''
  }

  async chooseMany({ flag, options }: ChoiceQuestion): Promise<string[]> {
    this.flags.push(flag)
    return options.slice(0, 1).map(({ value }) => value)
  }
}
