// Requests about account JWTs: push, look up, list, delete, and the synchronisation of stores.
import { decodeAccount, decodeGeneric, isBlocking, isPublicKey, validate } from '@ngs/identity/node'
import { randomToken } from '../account/random.ts'
import type { OperatorMode } from '../auth/jwt.ts'
import type { System } from './system.ts'

export class ClaimsRequests {
  readonly #system: System
  readonly #mode: OperatorMode

  constructor(system: System, mode: OperatorMode) {
    this.#system = system
    this.#mode = mode
    const { resolver } = mode
    system.on('$SYS.REQ.CLAIMS.UPDATE', (_subject, body, reply) =>
      resolver.writable ? this.#update(null, body, reply) : false,
    )
    for (const subject of ['$SYS.REQ.ACCOUNT.*.CLAIMS.UPDATE', '$SYS.ACCOUNT.*.CLAIMS.UPDATE']) {
      system.on(subject, (name, body, reply) => this.#update(name.split('.').at(-3)!, body, reply))
    }
    if (!resolver.writable) return
    system.on('$SYS.REQ.CLAIMS.LIST', (_subject, _body, reply) =>
      system.answer(reply, { data: resolver.list() }),
    )
    system.on('$SYS.REQ.CLAIMS.DELETE', (_subject, body, reply) => this.#delete(body, reply))
    system.on(
      '$SYS.REQ.CLAIMS.PACK',
      (_subject, _body, reply, _origin, frame) =>
        void this.#pack(frame.data.subarray(frame.dataStart, frame.dataEnd), reply),
    )
    system.on('$SYS.REQ.ACCOUNT.*.CLAIMS.LOOKUP', (name, _body, reply, origin) => {
      // Our own question: the others are meant.
      if (origin === null) return false
      if (reply !== '')
        void resolver
          .fetch(name.split('.')[3]!)
          .then((token) => system.account.publishInternal(reply, '', token ?? ''))
      return true
    })
    mode.lookup = (account) => this.#lookup(account)
  }

  #answer(reply: string, account: string, message: string): void {
    this.#system.answer(reply, { data: { account, code: 200, message } })
  }
  #refuse(reply: string, account: string, description: string): void {
    this.#system.server.log.error(`${description} (account ${account})`)
    this.#system.answer(reply, { error: { account, code: 500, description } })
  }

  /** A pushed token. @param named the account of the subject, null for the general form. */
  #update(named: string | null, token: string, reply: string): void {
    const { server } = this.#system
    const { resolver } = this.#mode
    const failure = 'jwt update resulted in error'
    let account = named ?? 'n/a'
    if (token === '') return this.#refuse(reply, account, 'jwt update error - request body is empty')
    let claims: ReturnType<typeof decodeAccount>
    try {
      claims = decodeAccount(token)
    } catch (error) {
      return this.#refuse(
        reply,
        resolver.writable ? 'n/a' : account,
        `${failure} - ${(error as Error).message}`,
      )
    }
    account = claims.sub
    if (named !== null && named !== claims.sub)
      return this.#refuse(reply, named, `${failure} - subject does not match jwt content`)
    if (this.#mode.isForbiddenIdentity(claims.iss))
      return this.#refuse(reply, account, `${failure} - operator requires issuer to be a signing key`)
    const issues = validate(claims)
    if (isBlocking(issues, { includeTime: false })) {
      const texts = issues.filter((issue) => issue.level === 'error').map((issue) => issue.text)
      return this.#refuse(reply, account, `jwt validation failed - ${texts.join('; ')}`)
    }
    if (!resolver.writable && server.accounts.get(account) === undefined)
      return this.#answer(reply, account, 'jwt update skipped')
    if (resolver.writable) {
      const saved = resolver.save(account, token)
      if (!saved.ok) return this.#refuse(reply, account, `${failure} - ${saved.reason}`)
    }
    // Only accounts in use here are live; others are read when somebody needs them.
    const loaded = server.accounts.get(account)
    if (loaded !== undefined || this.#isImported(account)) {
      const refusal = this.#mode.accept(account, token)
      if (refusal !== null) server.log.error(`Update account [${account}]: ${refusal}`)
    }
    return this.#answer(reply, account, 'jwt updated')
  }

  /** Somebody waits for what this account exports. */
  #isImported(account: string): boolean {
    for (const other of this.#system.server.accounts.all())
      if (other.spec.imports.some((item) => item.account === account)) return true
    return false
  }

  #delete(token: string, reply: string): void {
    const { server } = this.#system
    const refuse = (text: string): void =>
      this.#system.answer(reply, {
        error: { code: 500, description: `delete accounts request by failed - ${text}` },
      })
    const { resolver } = server.options
    if (resolver?.allowDelete !== true) return refuse('delete must be enabled in server config')
    let claims: ReturnType<typeof decodeGeneric>
    try {
      claims = decodeGeneric(token)
    } catch (error) {
      return refuse((error as Error).message)
    }
    if (claims.sub !== claims.iss) return refuse('not self signed')
    const [operator] = this.#mode.operators
    if (
      operator === undefined ||
      (operator.sub !== claims.sub && !operator.nats.signing_keys?.includes(claims.sub))
    )
      return refuse('not trusted')
    const accounts = claims.nats['accounts']
    if (!Array.isArray(accounts) || !accounts.every((key) => isPublicKey(key, 'account')))
      return refuse('malformed request')
    let failed = 0
    for (const account of accounts as string[]) {
      if (account === this.#system.account.name) {
        failed++
        continue
      }
      this.#mode.resolver.delete(account)
      this.#mode.remove(account)
    }
    const done = accounts.length - failed
    if (failed > 0)
      this.#system.answer(reply, {
        error: {
          code: 500,
          description: `deleted ${done} accounts, failed for ${failed} - not allowed to delete system account`,
        },
      })
    else this.#system.answer(reply, { data: { code: 200, message: `deleted ${done} accounts` } })
  }

  /** Every token this store has, one message each, then an empty one; nothing but the end when the asker holds the same. */
  async #pack(hash: Buffer, reply: string): Promise<void> {
    if (reply === '') return
    const { resolver } = this.#mode
    const { account } = this.#system
    if (!resolver.hash().equals(hash)) {
      for (const key of resolver.list()) {
        const token = await resolver.fetch(key)
        if (token !== null) account.publishInternal(reply, '', `${key}|${token}`)
      }
    }
    account.publishInternal(reply, '', '')
  }

  /** Asks whoever else answers for this account: other servers, or the control plane. */
  #lookup(name: string): Promise<string | null> {
    const { account, server } = this.#system
    const inbox = `$SYS._INBOX.${randomToken(8)}.${randomToken(8)}`
    return new Promise((resolve) => {
      const finish = (token: string | null): void => {
        clearTimeout(timer)
        unsubscribe()
        resolve(token)
      }
      const timer = setTimeout(() => finish(null), server.options.resolver?.timeoutMs ?? 1_900)
      const unsubscribe = account.subscribeInternal(inbox, (_subject, frame) => {
        const token = frame.data.toString(
          'utf8',
          frame.dataStart + Math.max(frame.headerSize, 0),
          frame.dataEnd,
        )
        if (token !== '') finish(token)
        return true
      })
      if (account.publishInternal(`$SYS.REQ.ACCOUNT.${name}.CLAIMS.LOOKUP`, inbox, '') === 0) finish(null)
    })
  }
}
