// Requests about account JWTs: push, look up, list, delete; and the comparison of stores between servers.

import {
  type AccountClaims,
  decodeAccount,
  decodeGeneric,
  isBlocking,
  isPublicKey,
  validate,
} from '@ngs/identity/node'
import { randomToken } from '../account/random.ts'
import { OperatorMode } from '../auth/jwt.ts'
import type { JwtAccounts } from '../auth/jwt-accounts.ts'
import { resolverOf } from '../auth/operators.ts'
import type { AccountStore } from '../auth/resolver/resolver.ts'
import { timerDelay } from '../deadline.ts'
import type { ResolverOptions } from '../options.ts'
import type { Request } from './request.ts'
import type { System } from './system.ts'

/** Why a request failed: `<what> - <error>`, about an account. */
class Failure extends Error {
  readonly account: string
  constructor(what: string, error: string, account: string) {
    super(`${what} - ${error}`)
    this.account = account
  }
}

/** What an answer names when it cannot name an account. */
const NO_ACCOUNT = 'n/a'
/** Longest silence before a comparison with another store is given up. */
const PACK_SILENCE_MS = 5_000

export function answerClaimsRequests(system: System): void {
  const { authenticator } = system.server
  if (authenticator instanceof OperatorMode) new ClaimsRequests(system, authenticator.accounts)
}

class ClaimsRequests {
  readonly #system: System
  readonly #accounts: JwtAccounts
  readonly #options: ResolverOptions

  constructor(system: System, accounts: JwtAccounts) {
    this.#system = system
    this.#accounts = accounts
    this.#options = resolverOf(system.server.options, accounts.operators)!
    const { store } = accounts.resolver
    for (const subject of ['$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE', '$SYS.ACCOUNT.*.CLAIMS.UPDATE'])
      system.on(subject, (request) => void this.#update(request, request.subject.split('.').at(-3)!))
    if (store === null) return
    system.on('$SYS.REQ.CLAIMS.UPDATE', (request) => void this.#update(request, null))
    system.on('$SYS.REQ.CLAIMS.LIST', ({ reply }) => system.answer(reply, { data: store.list() }))
    system.on('$SYS.REQ.CLAIMS.DELETE', (request) => void this.#delete(request, store))
    accounts.lookupElsewhere = (account) => this.#lookUp(account)
    if (!store.complete) return
    system.on('$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP', (request) => this.#answerLookup(request))
    // One server of many answers, and none its own question.
    system.on('$SYS.REQ.CLAIMS.PACK', (request) => this.#answerPack(request, store), 'responder')
    const timer = setInterval(() => this.#compare(store), timerDelay(this.#options.intervalMs)).unref()
    system.server.onStop(() => clearInterval(timer))
  }

  // Push -----------------------------------------------------------------------------------------------------------------------

  /** @param named the account of the subject, null for the general form. */
  async #update({ text, reply }: Request, named: string | null): Promise<void> {
    const { server } = this.#system
    try {
      const { account, message } = await this.#accept(text, named)
      server.log.debug(`${message} - ${account}`)
      this.#system.answer(reply, { data: { account, code: 200, message } })
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const { account, message: description } = error
      server.log.error(`${description} (account ${account})`)
      this.#system.answer(reply, { error: { account, code: 500, description } })
    }
  }

  /** @throws Failure. */
  async #accept(token: string, named: string | null): Promise<{ account: string; message: string }> {
    const { store } = this.#accounts.resolver
    const cache = store?.complete === false
    const failed = cache ? 'jwt update cache resulted in error' : 'jwt update resulted in error'
    if (store === null && token === '')
      throw new Failure('jwt update error', 'request body is empty', named ?? NO_ACCOUNT)
    let claims: AccountClaims
    try {
      claims = decodeAccount(token)
    } catch (error) {
      const account = store === null || (cache && named !== null) ? named : null
      throw new Failure(failed, (error as Error).message, account ?? NO_ACCOUNT)
    }
    const account = claims.sub
    if (named !== null && named !== account)
      throw new Failure(failed, 'subject does not match jwt content', named)
    if (store === null) {
      if (this.#accounts.get(account) === undefined) return { account, message: 'jwt update skipped' }
      const refusal = this.#accounts.accept(account, token)
      if (refusal !== null) throw new Failure(failed, refusal, account)
      return { account, message: 'jwt updated' }
    }
    if (this.#accounts.operators.isForbiddenIdentity(claims.iss))
      throw new Failure(failed, 'operator requires issuer to be a signing key', account)
    if (cache && this.#accounts.get(account) === undefined)
      return { account, message: 'jwt update cache skipped' }
    const issues = validate(claims)
    if (isBlocking(issues, { includeTime: false })) {
      const errors = issues.filter((issue) => issue.level === 'error').map((issue) => issue.text)
      const invalid = cache ? 'jwt update cache validation failed' : 'jwt validation failed'
      throw new Failure(invalid, `validation errors: [${errors.join(' ')}]`, account)
    }
    const saved = await store.save(account, token)
    if (!saved.ok) throw new Failure(failed, saved.reason, account)
    this.#apply(account, token)
    return { account, message: cache ? 'jwt updated cache' : 'jwt updated' }
  }

  /** Only accounts in use here are live; others are read when somebody needs them. What cannot be applied is in the log. */
  #apply(account: string, token: string): void {
    if (this.#accounts.get(account) !== undefined || this.#accounts.isMissing(account))
      this.#accounts.accept(account, token)
  }

  // Delete ---------------------------------------------------------------------------------------------------------------------

  async #delete({ text, reply }: Request, store: AccountStore): Promise<void> {
    const { server } = this.#system
    let by = ''
    const refuse = (why: string): void => {
      const description = `delete accounts request by ${by} failed - ${why}`
      server.log.error(description)
      this.#system.answer(reply, { error: { code: 500, description } })
    }
    if (!this.#options.allowDelete) return refuse('delete must be enabled in server config')
    let accounts: unknown
    try {
      const claims = decodeGeneric(text)
      by = claims.sub
      if (claims.sub !== claims.iss) return refuse('not self signed')
      accounts = claims.nats['accounts']
    } catch (error) {
      return refuse((error as Error).message)
    }
    if (!this.#accounts.operators.maySignDeletion(by)) return refuse('not trusted')
    if (!Array.isArray(accounts) || !accounts.every((key) => isPublicKey(key, 'account')))
      return refuse('malformed request')
    if (accounts.includes(this.#system.account.name)) return refuse('not allowed to delete system account')
    let failed = 0
    let failure = ''
    for (const account of accounts as string[]) {
      try {
        await store.delete(account)
        this.#accounts.disable(account)
      } catch (error) {
        failed++
        failure = (error as Error).message
      }
    }
    const done = `deleted ${accounts.length - failed} accounts`
    if (failed === 0) {
      server.log.debug(done)
      this.#system.answer(reply, { data: { code: 200, message: done } })
    } else refuse(`${done}, failed for ${failed} - ${failure}`)
  }

  // Look up --------------------------------------------------------------------------------------------------------------------

  #answerLookup({ subject, reply, origin }: Request): boolean {
    // Our own question: the others are meant.
    if (origin === null) return false
    if (reply === '') return true
    const { server, account } = this.#system
    this.#accounts.resolver.fetch(subject.split('.')[3]!).then(
      (token) => account.publishInternal(reply, '', token ?? ''),
      (error: Error) => server.log.error(`Account lookup: ${error.message}`),
    )
    return true
  }

  /**
   * Asks whoever else answers for this account: other servers, or the control plane. The first token wins; that nobody has one is
   * known when all who were asked said so, or when the time is over.
   */
  #lookUp(name: string): Promise<string | null> {
    const { account } = this.#system
    const inbox = newInbox()
    return new Promise((resolve) => {
      let open = Number.POSITIVE_INFINITY
      const finish = (token: string | null): void => {
        clearTimeout(timer)
        unsubscribe()
        resolve(token)
      }
      const timer = setTimeout(() => finish(null), timerDelay(this.#options.timeoutMs))
      const unsubscribe = account.subscribeInternal(inbox, (_subject, frame) => {
        const start = frame.dataStart + Math.max(frame.headerSize, 0)
        const token = frame.data.toString('latin1', start, frame.dataEnd)
        if (token !== '') finish(token)
        else if (--open <= 0) finish(null)
        return true
      })
      open = account.publishInternal(`$SYS.REQ.ACCOUNT.${name}.CLAIMS.LOOKUP`, inbox, '')
      if (open === 0) finish(null)
    })
  }

  // Comparison of stores -------------------------------------------------------------------------------------------------------

  #answerPack({ bytes, reply, origin }: Request, store: AccountStore): boolean {
    if (origin === null) return false
    if (reply !== '') void this.#pack(Buffer.from(bytes), reply, store)
    return true
  }

  /** Every token that has not expired, one message each, then an empty one; nothing but the end when the asker holds the same. */
  async #pack(hash: Buffer, reply: string, store: AccountStore): Promise<void> {
    const { account } = this.#system
    if (!store.hash().equals(hash)) {
      for (const key of store.list()) {
        const token = await this.#accounts.resolver.fetch(key).catch(() => null)
        if (token !== null && token !== '') account.publishInternal(reply, '', `${key}|${token}`)
      }
    }
    account.publishInternal(reply, '', '')
  }

  /** Asks one other server for what it holds, when that differs, and takes what is newer. */
  #compare(store: AccountStore): void {
    const { account } = this.#system
    const inbox = newInbox()
    const end = (): void => {
      clearTimeout(silence)
      unsubscribe()
    }
    let silence = setTimeout(end, PACK_SILENCE_MS).unref()
    const unsubscribe = account.subscribeInternal(inbox, (_subject, frame) => {
      const line = frame.data.toString(
        'latin1',
        frame.dataStart + Math.max(frame.headerSize, 0),
        frame.dataEnd,
      )
      clearTimeout(silence)
      silence = setTimeout(end, PACK_SILENCE_MS).unref()
      if (line === '') end()
      else void this.#mergeLine(line, store)
      return true
    })
    if (account.publishInternal('$SYS.REQ.CLAIMS.PACK', inbox, store.hash()) === 0) end()
  }

  async #mergeLine(line: string, store: AccountStore): Promise<void> {
    const [account = '', token = '', ...more] = line.split('|')
    if (more.length > 0 || !isPublicKey(account, 'account')) return
    try {
      if (decodeAccount(token).sub !== account) return
    } catch {
      return
    }
    if (await store.merge(account, token)) this.#apply(account, token)
  }
}

const newInbox = (): string => `$SYS._INBOX.${randomToken(8)}.${randomToken(8)}`
