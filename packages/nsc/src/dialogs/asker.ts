import type { AccountClaims, Export, Import } from '@ngs/identity/node'
import { type FlagValues, parseValue } from '../cli/flags.ts'
import { failure, textOf } from '../errors.ts'
import type { Session } from '../session.ts'
import { accountSignerRoles, type SignerRole, scopeOf, signerCandidates } from '../signing.ts'
import { quote } from '../text.ts'
import { parseDate } from '../values.ts'
import type { Choice, Front } from './front.ts'

/** Asks the questions of one command. */
export type Dialog = (ask: Asker) => Promise<void>

/** What the command line said, which the answers complete. */
export interface DialogCall {
  session: Session
  flags: FlagValues
  args: readonly string[]
}

interface Options {
  /** Asked for even without -i: the command cannot do without. */
  required?: boolean
  initial?: string
  placeholder?: string
  /** Why a text is no answer, null when it is one. What the flag's type refuses is refused anyway. */
  check?: (text: string) => string | null
}

/**
 * Questions whose answers become flags: a command sees no difference, so what it checks on the command line it checks
 * here. A question is left out when its flag was given or, without -i, when the command can do without an answer.
 */
export class Asker {
  readonly session: Session
  readonly flags: FlagValues
  readonly args: readonly string[]
  /** -i: everything is asked, not just what is missing. */
  readonly all: boolean
  private readonly front: Front

  constructor({ session, flags, args }: DialogCall, front: Front, all: boolean) {
    this.session = session
    this.flags = flags
    this.args = args
    this.front = front
    this.all = all
  }

  given(flag: string): boolean {
    return this.flags.has(flag) || (flag === 'name' && this.args.length > 0)
  }

  private wants(flag: string, required = false): boolean {
    return !this.given(flag) && (this.all || required)
  }

  /** The value of a flag: given, or answered. */
  value(flag: string): string {
    return this.flags.text(flag) || (flag === 'name' ? (this.args[0] ?? '') : '')
  }

  async text(flag: string, message: string, options: Options = {}): Promise<void> {
    const { required = false, initial, placeholder, check } = options
    if (!this.wants(flag, required)) return
    const spec = this.flags.specOf(flag)
    const problem = (text: string) => {
      if (text.trim() === '') return required ? 'a value is needed' : null
      try {
        parseValue(spec, text, undefined)
      } catch (thrown) {
        return textOf(thrown)
      }
      return check?.(text) ?? null
    }
    const answer = await this.front.text({
      flag,
      message,
      problem,
      ...(initial === undefined ? {} : { initial }),
      ...(placeholder === undefined ? {} : { placeholder }),
    })
    if (answer.trim() !== '' && answer !== initial) this.set(flag, answer)
  }

  /**
   * Answers a switch.
   *
   * @param suggested what return alone answers
   * @param holds what is so without the flag: the flag is set when the answer differs
   */
  async confirm(flag: string, message: string, suggested = false, holds = suggested): Promise<boolean> {
    if (!this.wants(flag)) return this.flags.has(flag) ? this.flags.switch(flag) : holds
    const answer = await this.front.confirm({ flag, message, initial: suggested })
    if (answer !== holds) this.set(flag, String(answer))
    return answer
  }

  /** A question that no flag of its own answers; only put with -i. */
  async decide(about: string, message: string, initial = false): Promise<boolean> {
    return this.all ? this.front.confirm({ flag: about, message, initial }) : initial
  }

  async choose(
    flag: string,
    message: string,
    options: readonly Choice[],
    { required = false, initial }: { required?: boolean; initial?: string } = {},
  ): Promise<void> {
    if (!this.wants(flag, required) || options.length === 0) return
    const answer = await this.front.choose({
      flag,
      message,
      options,
      ...(initial === undefined ? {} : { initial }),
    })
    if (answer !== initial) this.set(flag, answer)
  }

  async chooseMany(
    flag: string,
    message: string,
    options: readonly Choice[],
    required = false,
  ): Promise<void> {
    if (!this.wants(flag, required) || options.length === 0) return
    for (const answer of await this.front.chooseMany({ flag, message, options })) this.set(flag, answer)
  }

  /** A choice among things that flags do not name one by one; null when it is not put. */
  async pick(about: string, message: string, options: readonly Choice[]): Promise<string> {
    return this.front.choose({ flag: about, message, options })
  }

  /** A text that is always needed, for the caller to use. */
  async answer(about: string, message: string, check: (text: string) => string | null): Promise<string> {
    const problem = (text: string) => (text.trim() === '' ? 'a value is needed' : check(text))
    return this.front.text({ flag: about, message, problem })
  }

  set(flag: string, text: string): void {
    this.flags.set(this.flags.specOf(flag), text)
    if (flag === 'private-key') this.session.signer = text
  }

  // --- things of the store -------------------------------------------------------------------------------------

  /**
   * The account to work on: asked for with -i where there are several, and without when none is current.
   *
   * @param flag `name` for commands whose object is the account
   */
  async account(flag: 'account' | 'name' = 'account', message = 'account'): Promise<void> {
    const { context } = this.session
    const names = this.session.store().accountNames()
    if (names.length > 1)
      await this.choose(
        flag,
        message,
        names.map((name) => ({ value: name, label: name })),
        { required: context.account === '', ...(context.account === '' ? {} : { initial: context.account }) },
      )
    if (this.value(flag) !== '') this.session.selectAccount(this.value(flag))
  }

  /** The claims of the account that was chosen; null when there is none or its token is damaged. */
  accountClaims(): AccountClaims | null {
    try {
      return this.session.store().account(this.session.context.account)
    } catch {
      return null
    }
  }

  users(): Choice[] {
    const { context } = this.session
    if (context.account === '') return []
    return this.session
      .store()
      .userNames(context.account)
      .map((name) => ({ value: name, label: name }))
  }

  /** The users of the account; with -i, which would go on asking about them, an error when there are none. */
  usersThere(): Choice[] {
    const users = this.users()
    const { account } = this.session.context
    if (this.all && account !== '' && users.length === 0)
      throw failure(`account ${quote(account)} doesn't have any users - add one first`)
    return users
  }

  /** A user of the account; the only one goes without saying. */
  async user(flag: 'name' | 'user' = 'name'): Promise<void> {
    const users = this.given(flag) ? [] : this.usersThere()
    if (users.length > 1) await this.choose(flag, 'user', users, { required: true })
  }

  exports(): Export[] {
    return (this.accountClaims()?.nats.exports ?? []).filter((entry) => entry !== null)
  }

  imports(): Import[] {
    return (this.accountClaims()?.nats.imports ?? []).filter((entry) => entry !== null)
  }

  /** Who signs, where that is a choice: several keys, or none that is at hand. */
  async signer(roles: readonly SignerRole[]): Promise<void> {
    if (!this.wants('private-key')) return
    const store = this.session.store()
    const account = this.accountClaims()
    const candidates = signerCandidates({ store, roles, account })
    const stored = candidates.filter((key) => this.session.keystore.hasFile(key))
    if (candidates.length === 1 && stored.length === 1) return
    const options: Choice[] = stored.map((key) => ({
      value: key,
      label: key,
      hint: this.describeKey(key, account),
    }))
    if (stored.length < candidates.length)
      options.push({ value: '', label: 'Other...', hint: 'a seed, or a file that holds one' })
    if (options.length === 0) return
    const key = await this.front.choose({ flag: 'private-key', message: 'key that signs', options })
    if (key !== '') this.set('private-key', key)
    else await this.text('private-key', 'seed or key file', { required: true })
  }

  private describeKey(key: string, account: AccountClaims | null): string {
    if (key.startsWith('O'))
      return key === this.session.store().operator().sub ? 'operator' : 'operator signing key'
    if (key === account?.sub) return 'account'
    const scope = account ? scopeOf(account, key) : null
    return scope ? `role ${scope.role || '(unnamed)'}` : 'account signing key'
  }

  async accountSigner(): Promise<void> {
    if (this.all) await this.signer(accountSignerRoles(this.session.store()))
  }

  // --- parts that many commands have ----------------------------------------------------------------------------

  async dates(): Promise<void> {
    const check = (text: string) => {
      try {
        parseDate(text)
        return null
      } catch (thrown) {
        return textOf(thrown)
      }
    }
    const placeholder = 'always - or a date (2030-01-31), or from now: 3d, 2w, 6M, 1y'
    await this.text('start', 'valid from', { check, placeholder })
    await this.text('expiry', 'valid until', { check, placeholder })
  }

  async tags(current: readonly string[] | undefined): Promise<void> {
    const tags = current ?? []
    await this.text('tag', 'add tags, comma-separated', { placeholder: 'none' })
    if (tags.length > 0 && (await this.decide('rm-tag', `remove tags (${tags.join(', ')})?`)))
      await this.chooseMany(
        'rm-tag',
        'tags to remove',
        tags.map((tag) => ({ value: tag, label: tag })),
      )
  }
}

/** Refuses a name that is taken, or that no file can have. */
export function newName(
  taken: readonly string[],
  what: string,
  sameCase = true,
): (text: string) => string | null {
  return (text) => {
    if (/[/\\]/.test(text) || text.trim() === '.' || text.trim() === '..')
      return "a name cannot contain '/' or '\\'"
    const same = (name: string) => (sameCase ? name === text : name.toLowerCase() === text.toLowerCase())
    return taken.some(same) ? `the ${what} ${quote(text)} is there already` : null
  }
}
