// Whether what one user publishes can reach another, from the tokens alone: the steps a message takes through servers, in their order.
import type { AccountClaims, OperatorClaims, UserClaims } from '../claims.ts'
import { IdentityError } from '../errors.ts'
import { issuerAccount } from '../rules/signers.ts'
import { hasWildcard, isValidSubject } from '../subjects.ts'
import { accountWord, nsc, userFlags, userWord } from './commands.ts'
import { type Admitted, accountProblem, admission, type Refused } from './connect.ts'
import { publishRefusal, type Refusal, type Rights, subscription, templateEntry } from './permissions.ts'
import { importSteps, missingSteps } from './sharing.ts'
import { type Mapped, mapSubject, type NamedImport, namedImports, toLocal, toRemote } from './subjects.ts'

/** Who sends what to whom, and the claims to judge it by. They are taken as read: decode verifies signatures. */
export interface ExplainInput {
  /** Whose accounts count. Empty: accounts are taken at their word. */
  operators?: readonly OperatorClaims[]
  /** Every account that is known; those of both users and those between them are needed. */
  accounts: readonly AccountClaims[]
  from: UserClaims
  to: UserClaims
  /** A subject without wildcards. */
  subject: string
  /** Whether an answer has to come back as well. */
  request?: boolean
  /** Prefix of the subjects that answers are sent to, `_INBOX` when absent. */
  inbox?: string
  /** Bytes of the message, headers included; 0 when absent. */
  size?: number
  /** Unix seconds, the clock when absent. */
  now?: number
}

/** The step of a message that a line of an explanation is about, in the order in which servers take them. */
export type ExplainStage =
  | 'connect'
  | 'mapping'
  | 'publish'
  | 'export'
  | 'activation'
  | 'import'
  | 'subscribe'
  | 'reply'

/** One step of the way, as a line for people and for programs. */
export interface ExplainStep {
  stage: ExplainStage
  ok: boolean
  /** Public key of the account whose claims decide. */
  account: string
  text: string
  /** Shell commands that change a "no" of this step; null for a "yes", and where no command of nsc can. */
  fix: string | null
}

/** The verdict on one message, and the way to it. */
export interface Explanation {
  /** Whether the message can arrive (and the answer come back). */
  reaches: boolean
  /** Percent of the messages that arrive, where mappings leave it to chance; 0 or 100 elsewhere. */
  chance: number
  /**
   * The subject under which the message arrives, what the receiver subscribes to for it (`by`), and the queue group that its
   * permissions make it a member of.
   */
  received: { subject: string; by: string; queue: string | null } | null
  /** The way of the message, or the way on which the least is missing. */
  steps: ExplainStep[]
  /** The command of the first step that fails. Where several fail, the next is known after it was run. */
  fix: string | null
  /** What the tokens demand besides, and what they cannot tell. */
  notes: string[]
}

/** A way under construction. */
interface Way {
  steps: ExplainStep[]
  percent: number
  /** The draws of mappings on it: ways of different draws add up. */
  draws: string
  /** Service imports on it, first to last: the answer goes back through them. */
  calls: AccountClaims[]
  /** Exports it passed: no message passes one twice. */
  passed: readonly string[]
  received: Explanation['received']
  /** How the answer gets back has been found out. */
  answered?: boolean
}

interface Party {
  user: UserClaims
  account: AccountClaims
  name: string
  rights: Rights | null
}

const quote = (text: string): string => JSON.stringify(text)

/** Imports that fan out over many accounts have more ways than anybody wants to read. */
const MAX_STEPS = 10_000

/**
 * Says whether what one user publishes can reach another, and the way it takes. The order of the steps is the order in which servers judge.
 * @throws IdentityError `invalidClaims` when the subject is no literal subject, or an account of the users is not known.
 */
export function explain(input: ExplainInput): Explanation {
  return new Explainer(input).run()
}

class Explainer {
  readonly #input: ExplainInput
  readonly #accounts: Map<string, AccountClaims>
  readonly #now: number
  readonly #request: boolean
  readonly #reply: string
  readonly #notes: string[] = []
  readonly #ways: Way[] = []
  #visited = 0
  #from!: Party
  #to!: Party

  constructor(input: ExplainInput) {
    this.#input = input
    this.#accounts = new Map(input.accounts.map((account) => [account.sub, account]))
    this.#now = input.now ?? Math.floor(Date.now() / 1000)
    this.#request = input.request ?? false
    this.#reply = `${input.inbox ?? '_INBOX'}.qd3wLkG2y8iqzVJTY7mHwC.Zkq8fN1x`
  }

  run(): Explanation {
    const { subject } = this.#input
    if (!isValidSubject(subject) || hasWildcard(subject))
      throw new IdentityError('invalidClaims', `${quote(subject)} is not a subject that one can publish to`)
    const steps: ExplainStep[] = []
    this.#from = this.#party(this.#input.from, 'from', steps)
    this.#to = this.#party(this.#input.to, 'to', steps)
    this.#bothAtOnce(steps)
    if (/^(\$SYS|\$JS|_R_|_GR_|\$NRG)\./.test(subject))
      this.#notes.push(
        `${quote(subject)} is a subject of the servers themselves, which have rules of their own for it`,
      )
    this.#publish({ steps, percent: 100, draws: '', calls: [], passed: [], received: null })
    return this.#verdict()
  }

  // --- who -------------------------------------------------------------------------------------------------------

  #party(user: UserClaims, which: string, steps: ExplainStep[]): Party {
    const key = issuerAccount(user)
    const account = this.#accounts.get(key)
    if (!account)
      throw new IdentityError(
        'invalidClaims',
        `the account ${key} of the user ${userWord(user)} (${which}) is not known`,
      )
    const name = `${accountWord(account)}/${userWord(user)}`
    const operators = this.#input.operators ?? []
    const found: Admitted | Refused = admission({ operators, account, user, now: this.#now })
    const party: Party = { user, account, name, rights: 'rights' in found ? found.rights : null }
    if (which === 'to' && user.sub === this.#input.from.sub) return party
    const step = (ok: boolean, text: string, fix: string | null) =>
      steps.push({ stage: 'connect', ok, account: account.sub, text, fix })
    if (!('rights' in found)) {
      step(false, `${name} cannot connect: ${found.text}`, found.fix)
      return party
    }
    const [limited, fix] = this.#barred(party)
    if (limited === null) step(true, `${name} can connect`, null)
    else step(false, `${name} cannot connect: ${limited}`, fix)
    this.#notes.push(...found.notes.map((note) => `${name} ${note}`))
    return party
  }

  /** Limits under which nobody gets in. A connection whose subscriptions are used up is closed, and none are used up at once. */
  #barred(party: Party): [string, string] | [null, null] {
    const { account, rights } = party
    const name = accountWord(account)
    if (account.nats.limits.conn === 0)
      return [`${name} allows no connections`, this.#limit(account, '--conns')]
    if (rights?.limits.subs === 0) return ['it may not have subscriptions', this.#editLimits(party, '--subs')]
    if (account.nats.limits.subs === 0)
      return [`${name} allows no subscriptions`, this.#limit(account, '--subscriptions')]
    return [null, null]
  }

  #bothAtOnce(steps: ExplainStep[]): void {
    const { account } = this.#from
    if (account.sub !== this.#to.account.sub || this.#from.user.sub === this.#to.user.sub) return
    if (account.nats.limits.conn !== 1) return
    steps.push({
      stage: 'connect',
      ok: false,
      account: account.sub,
      text: `${accountWord(account)} allows one connection, so both users cannot be connected at the same time`,
      fix: this.#limit(account, '--conns'),
    })
  }

  #limit(account: AccountClaims, flag: string): string {
    return nsc('edit', 'account', '--name', accountWord(account), flag, '-1')
  }

  // --- the sender ------------------------------------------------------------------------------------------------

  #publish(start: Way): void {
    const { account } = this.#from
    for (const [way, subject] of this.#mapped(start, account, this.#input.subject)) {
      if (subject === '') {
        // Lost: whatever comes later does not matter.
        this.#ways.push(way)
        continue
      }
      way.steps.push(this.#publishStep(this.#from, subject, 'publish'), ...this.#sizeSteps())
      const before = this.#ways.length
      this.#arrive(way, account, subject, false)
      if (this.#ways.length === before) this.#nowhere(way, subject)
    }
  }

  /** One way for each subject that the mappings of the account may turn it into. */
  #mapped(way: Way, account: AccountClaims, subject: string): [Way, string][] {
    const results = mapSubject(account, subject)
    return results.map((mapped, index) => {
      const copy = this.#copy(way)
      copy.percent = (way.percent * mapped.percent) / 100
      if (results.length > 1) copy.draws += `${index}.`
      if (mapped.source !== null) copy.steps.push(this.#mappingStep(account, subject, mapped))
      return [copy, mapped.subject]
    })
  }

  #mappingStep(
    account: AccountClaims,
    subject: string,
    { source, subject: result, percent }: Mapped,
  ): ExplainStep {
    const share = percent < 100 ? ` for ${Math.round(percent)} % of the messages` : ''
    const what = `the mapping of ${quote(source ?? '')} in ${accountWord(account)}`
    const lost = result === ''
    return {
      stage: 'mapping',
      ok: !lost,
      account: account.sub,
      text: lost
        ? `${what} loses ${quote(subject)}${share}`
        : result === subject
          ? `${what} leaves ${quote(subject)} as it is${share}`
          : `${what} turns ${quote(subject)} into ${quote(result)}${share}`,
      fix: lost ? this.#unmap(account, source ?? '') : null,
    }
  }

  #unmap(account: AccountClaims, source: string): string {
    return nsc('delete', 'mapping', '--account', accountWord(account), '--from', source)
  }

  #publishStep(party: Party, subject: string, stage: ExplainStage): ExplainStep {
    const base = { stage, account: party.account.sub }
    if (!party.rights) return { ...base, ok: false, text: `${party.name} publishes nothing`, fix: null }
    const refusal = publishRefusal(party.rights.permissions, subject)
    if (refusal === null)
      return { ...base, ok: true, text: `${party.name} may publish to ${quote(subject)}`, fix: null }
    return {
      ...base,
      ok: false,
      text: `${party.name} may not publish to ${quote(subject)}: ${this.#why(party, refusal)}`,
      fix: this.#permit(party, 'pub', subject, refusal),
    }
  }

  #sizeSteps(): ExplainStep[] {
    const size = this.#input.size ?? 0
    const { rights, account, name } = this.#from
    if (size === 0 || !rights) return []
    const tooBig = (limit: number | bigint) => limit >= 0 && size > limit
    const base = { stage: 'publish', ok: false, account: account.sub } as const
    if (tooBig(rights.limits.payload))
      return [
        {
          ...base,
          text: `${name} may not send ${size} bytes: its limit is ${rights.limits.payload}`,
          fix: this.#editLimits(this.#from, '--payload'),
        },
      ]
    const { payload } = account.nats.limits
    if (!tooBig(payload)) return []
    const text = `${name} may not send ${size} bytes: the limit of ${accountWord(account)} is ${payload}`
    return [{ ...base, text, fix: this.#limit(account, '--payload') }]
  }

  // --- the way ---------------------------------------------------------------------------------------------------

  /**
   * A message is in an account under a subject: whoever is there may get it, and imports take it on. What came through a
   * service import reaches the exporter's own subscribers and services, but not the importers of its streams.
   */
  #arrive(way: Way, account: AccountClaims, subject: string, called: boolean): void {
    if (++this.#visited > MAX_STEPS) {
      this.#notes.push(`there are more ways than the ${MAX_STEPS} steps that were looked at`)
      return
    }
    const target = this.#to.account
    if (account.sub === target.sub) this.#receive(this.#copy(way), subject)
    if (!called && account.sub !== target.sub) this.#streams(way, account, subject)
    for (const named of namedImports(account)) {
      if (named.kind !== 'service') continue
      const remote = toRemote(named, subject)
      if (remote !== null) this.#call(way, account, named, subject, remote)
    }
  }

  #streams(way: Way, account: AccountClaims, subject: string): void {
    for (const named of namedImports(this.#to.account)) {
      if (named.kind !== 'stream' || named.exporter !== account.sub) continue
      const local = toLocal(named, subject)
      if (local === null) continue
      const copy = this.#copy(way)
      copy.steps.push(...importSteps(this.#to.account, account, named, this.#now))
      copy.steps.push(this.#importStep(this.#to.account, named, subject, local))
      if (!this.#request || this.#answersThrough(copy)) this.#receive(copy, local)
    }
  }

  /**
   * A stream takes no answers back: to whoever receives it, the reply subject is one of another account. It works all the same where
   * the receiver's account happens to import a service that covers it.
   */
  #answersThrough(way: Way): boolean {
    const { operators = [], accounts } = this.#input
    const answer = explain({
      ...{ operators, accounts, from: this.#to.user, to: this.#from.user },
      ...{ subject: this.#reply, now: this.#now },
    })
    const granted = this.#to.rights?.permissions.resp !== undefined
    const failed = answer.steps.filter(({ ok, stage }) => !ok && !(granted && stage === 'publish'))
    if (failed.length > 0 || (answer.received && answer.received.by !== this.#reply)) return false
    way.answered = true
    return true
  }

  #call(way: Way, importer: AccountClaims, named: NamedImport, subject: string, remote: string): void {
    const exporter = this.#accounts.get(named.exporter)
    if (!exporter) {
      this.#notes.push(
        `${accountWord(importer)} sends ${quote(subject)} on to the account ${named.exporter}, which is not known here`,
      )
      return
    }
    const passed = `${exporter.sub} ${named.remote}`
    if (way.passed.includes(passed)) return
    const copy = this.#copy(way)
    copy.passed = [...way.passed, passed]
    copy.calls.push(importer)
    copy.steps.push(...importSteps(importer, exporter, named, this.#now))
    copy.steps.push(this.#importStep(importer, named, subject, remote))
    if (exporter.sub !== this.#to.account.sub) {
      const problem = accountProblem(this.#input.operators ?? [], exporter, this.#now)
      if (problem)
        copy.steps.push({
          stage: 'export',
          ok: false,
          account: exporter.sub,
          text: problem.text,
          fix: problem.fix,
        })
    }
    for (const [next, mapped] of this.#mapped(copy, exporter, remote)) {
      if (mapped !== '') this.#arrive(next, exporter, mapped, true)
    }
  }

  #importStep(importer: AccountClaims, named: NamedImport, before: string, after: string): ExplainStep {
    const verb = named.kind === 'stream' ? `gets ${quote(before)} as` : `asks ${quote(before)} as`
    const text = `${accountWord(importer)} imports the ${named.kind} ${quote(named.remote)}, and ${verb} ${quote(after)}`
    return { stage: 'import', ok: true, account: importer.sub, text, fix: null }
  }

  /** No import leads on: what is missing between the two accounts. */
  #nowhere(way: Way, subject: string): void {
    const copy = this.#copy(way)
    const [sender, receiver] = [this.#from.account, this.#to.account]
    // Streams are exported by the sender's account, services by that of whoever answers.
    if (this.#request) {
      copy.calls.push(sender)
      copy.steps.push(...missingSteps(sender, receiver, 'service', subject, this.#now))
    } else copy.steps.push(...missingSteps(receiver, sender, 'stream', subject, this.#now))
    this.#receive(copy, subject)
  }

  // --- the receiver ----------------------------------------------------------------------------------------------

  #receive(way: Way, subject: string): void {
    const { rights, name, account } = this.#to
    const base = { stage: 'subscribe', account: account.sub } as const
    const found = rights ? subscription(rights.permissions, subject) : null
    if (!rights || !found) way.steps.push({ ...base, ok: false, text: `${name} receives nothing`, fix: null })
    else if (found.ok) {
      const { by } = found
      way.received = { subject, by: by.subject, queue: by.queue }
      const wider = by.subject === subject ? '' : `, which brings ${quote(subject)}`
      const how = by.queue === null ? '' : `, as a member of the queue group ${quote(by.queue)} only`
      const text = `${name} may subscribe to ${quote(by.subject)}${wider}${how}`
      way.steps.push({ ...base, ok: true, text, fix: null })
    } else
      way.steps.push({
        ...base,
        ok: false,
        text: `${name} may not subscribe to ${quote(subject)}: ${this.#why(this.#to, found.refusal)}`,
        fix: this.#permit(this.#to, 'sub', subject, found.refusal),
      })
    if (way.answered)
      way.steps.push({
        ...{ stage: 'reply', ok: true, account: account.sub, fix: null },
        text: `${accountWord(account)} imports a service that takes the answer of ${name} back`,
      })
    else if (this.#request) this.#answer(way)
    this.#ways.push(way)
  }

  // --- the answer ------------------------------------------------------------------------------------------------

  /** The answer goes back the way the request came, under a reply subject that each account on it has given. */
  #answer(way: Way): void {
    const own = way.calls.length === 0 ? this.#reply : '_R_.4fX2bQ.k9TzRv'
    const { rights, account, name } = this.#to
    const granted = rights?.permissions.resp !== undefined
    const step = this.#publishStep(this.#to, own, 'reply')
    if (rights && (granted || step.ok))
      way.steps.push({
        ...step,
        ok: true,
        fix: null,
        text: `${name} may answer${granted ? ' what it is asked' : ''}`,
      })
    else {
      const how = way.calls.length === 0 ? quote(own) : 'the reply subject of a service'
      const denied = rights ? publishRefusal(rights.permissions, own) : null
      way.steps.push({
        ...step,
        text: denied ? `${name} may not answer to ${how}: ${this.#why(this.#to, denied)}` : step.text,
        fix: rights ? this.#edit(this.#to, '--allow-pub-response') : null,
      })
    }
    this.#replyMappings(way, account, own)
    for (const [index, importer] of [...way.calls.entries()].reverse())
      this.#replyMappings(way, importer, index === 0 ? this.#reply : '_R_.4fX2bQ.k9TzRv')
    this.#inbox(way)
  }

  /** Mappings turn replies into something that nobody waits for. */
  #replyMappings(way: Way, account: AccountClaims, reply: string): void {
    const results = mapSubject(account, reply)
    const kept = results
      .filter(({ subject }) => subject === reply)
      .reduce((sum, { percent }) => sum + percent, 0)
    if (kept >= 100) return
    const source = results.find(({ subject }) => subject !== reply)?.source ?? ''
    if (kept > 0) {
      way.percent = (way.percent * kept) / 100
      return
    }
    way.steps.push({
      stage: 'reply',
      ok: false,
      account: account.sub,
      text: `the mapping of ${quote(source)} in ${accountWord(account)} sends the answer elsewhere`,
      fix: this.#unmap(account, source),
    })
  }

  #inbox(way: Way): void {
    const { rights, name, account } = this.#from
    if (!rights) return
    const found = subscription(rights.permissions, this.#reply)
    const inbox = `${this.#input.inbox ?? '_INBOX'}.>`
    const base = { stage: 'reply', account: account.sub } as const
    // Clients subscribe to their inbox by its name, whatever else they might.
    if (found.ok && found.by.queue === null && found.by.subject === this.#reply)
      way.steps.push({ ...base, ok: true, text: `${name} may receive the answer`, fix: null })
    else {
      const refusal: Refusal = found.ok ? { by: 'allow' } : found.refusal
      way.steps.push({
        ...base,
        ok: false,
        text: `${name} may not subscribe to its inbox ${quote(inbox)}: ${this.#why(this.#from, refusal)}`,
        fix: this.#permit(this.#from, 'sub', inbox, refusal),
      })
    }
  }

  // --- words and commands ----------------------------------------------------------------------------------------

  #why({ rights, account }: Party, refusal: Refusal): string {
    const isRole = rights?.source === 'role'
    const whose = isRole
      ? `its role ${quote(rights.scope?.role || (rights.scope?.key ?? ''))}`
      : rights?.source === 'account'
        ? `the default permissions of ${accountWord(account)}`
        : 'its permissions'
    if (refusal.by === 'deny') return `${whose} ${isRole ? 'denies' : 'deny'} ${quote(refusal.entry)}`
    return `${whose} ${isRole ? 'does' : 'do'} not allow it`
  }

  /** The edit of whatever decides about the user: itself, its role, or the account's defaults. */
  #edit({ rights, account, user }: Party, ...words: string[]): string {
    if (rights?.source === 'account') return nsc('edit', 'account', '--name', accountWord(account), ...words)
    return this.#editOwn({ rights, account, user }, words)
  }

  #editOwn({ rights, account, user }: Pick<Party, 'rights' | 'account' | 'user'>, words: string[]): string {
    if (rights?.scope)
      return nsc('edit', 'signing-key', '--account', accountWord(account), '--sk', rights.scope.key, ...words)
    return nsc('edit', 'user', ...userFlags(account, user), ...words)
  }

  #editLimits(party: Party, flag: string): string {
    return this.#editOwn(party, [flag, '-1'])
  }

  #permit(party: Party, side: 'pub' | 'sub', subject: string, refusal: Refusal): string {
    if (refusal.by === 'allow') return this.#edit(party, `--allow-${side}`, subject)
    const entry =
      party.rights?.source === 'role'
        ? templateEntry(party.account, party.user, side, refusal.entry)
        : refusal.entry
    return this.#edit(party, '--rm', entry)
  }

  #copy(way: Way): Way {
    return { ...way, steps: [...way.steps], calls: [...way.calls] }
  }

  #verdict(): Explanation {
    const failures = (way: Way) => way.steps.filter(({ ok }) => !ok).length
    const good = this.#ways.filter((way) => failures(way) === 0)
    // The likeliest of the good ways, else the one on which the least is missing.
    const best = [...this.#ways].sort((a, b) => failures(a) - failures(b) || b.percent - a.percent)[0]
    const byDraw = new Map<string, number>()
    for (const { draws, percent } of good) byDraw.set(draws, Math.max(percent, byDraw.get(draws) ?? 0))
    const chance = Math.min(100, Math.round([...byDraw.values()].reduce((sum, percent) => sum + percent, 0)))
    return {
      reaches: good.length > 0,
      chance,
      received: good.length > 0 ? (best?.received ?? null) : null,
      steps: best?.steps ?? [],
      fix: best?.steps.find(({ ok }) => !ok)?.fix ?? null,
      notes: [...new Set(this.#notes)],
    }
  }
}
