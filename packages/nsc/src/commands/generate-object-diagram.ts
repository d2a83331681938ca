import {
  type AccountClaims,
  type Claims,
  type ClaimsBase,
  type JetStreamLimits,
  type NatsLimits,
  type OperatorLimits,
  type Permissions,
  type UserClaims,
  validate,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { Diagram } from '../diagram/text.ts'
import type { Session } from '../session.ts'
import { signingKeys } from '../signing.ts'
import { quote } from '../text.ts'
import { formatDuration, type Int64 } from '../values.ts'

/** Operator, accounts and users as objects with what is set in them; lines say who signed whom. */
export function run(call: Call): undefined {
  const { session, flags } = call
  const store = session.store()
  const operator = store.operator()
  const { nats } = operator
  const drawing = new Drawing(session, { detail: flags.switch('detail'), keys: flags.switch('show-keys') })
  drawing.line('title Object Diagram')
  drawing.object(operator, 'operator', () => {
    drawing.claims(operator, nats.tags)
    drawing.value('JWT Version', String(nats.version))
    drawing.value('account server', nats.account_server_url ?? '')
    drawing.value('Strict signing key usage', String(nats.strict_signing_key_usage ?? false))
    drawing.validation(operator)
  })
  drawing.signingKeys(operator, 'operator', nats.signing_keys ?? [])
  for (const name of store.accountNames()) {
    const account = store.account(name)
    const defaults = drawing.account(account, nats.system_account === account.sub)
    drawing.signature(operator, account)
    drawing.info(account.sub, account.nats)
    if (!flags.switch('users')) continue
    for (const user of store.userNames(name)) drawing.user(account, store.user(name, user), defaults)
  }
  return drawing.finish(call, store.dir)
}

class Drawing extends Diagram {
  private readonly session: Session
  private readonly detail: boolean
  private readonly keys: boolean

  constructor(session: Session, options: { detail: boolean; keys: boolean }) {
    super()
    this.session = session
    this.detail = options.detail
    this.keys = options.keys
  }

  object({ name, sub }: ClaimsBase, kind: string, body: () => void): void {
    this.line(`object "${name ?? ''}" as ${sub} << ${kind} >> {`)
    body()
    this.line('}')
  }

  /** Returns the id of the default permissions, empty when the account has none. */
  account(account: AccountClaims, isSystem: boolean): string {
    const { nats } = account
    this.object(account, isSystem ? 'system account' : 'account', () => {
      this.claims(account, nats.tags)
      this.accountLimits(nats.limits)
      this.natsLimits(nats.limits)
      this.jetStreamLimits(nats.limits)
      this.validation(account)
    })
    let defaults = ''
    if (isSet(nats.default_permissions)) {
      defaults = this.permissions(account, 'default', nats.default_permissions)
      this.line(`${account.sub} *-- ${defaults}`)
    }
    this.signingKeys(account, 'account', signingKeys(account))
    return defaults
  }

  user(account: AccountClaims, user: UserClaims, defaults: string): void {
    const { nats } = user
    this.object(user, 'user', () => {
      this.claims(user, nats.tags)
      this.value('Bearer Token', String(nats.bearer_token ?? false))
      this.values('Allowed Connection Types', nats.allowed_connection_types)
      this.natsLimits(nats)
      this.userLimits(nats)
      this.validation(user)
    })
    if (isSet(nats))
      this.line(`${user.sub} *-- ${this.permissions(user, 'user', nats)} : "API restricted by >"`)
    else if (defaults !== '') this.line(`${user.sub} -- ${defaults} : "API restricted by >"`)
    this.signature(account, user)
  }

  value(name: string, value: string): void {
    if (value !== '' || this.detail) this.line(`${name} = ${value}`)
  }

  private values(name: string, list: readonly string[] | undefined): void {
    if (list?.length || this.detail) this.value(name, (list ?? []).map(quote).join(' '))
  }

  private time(name: string, seconds: Int64 | undefined): void {
    if (seconds) this.line(`${name} = ${localTime(Number(seconds))}`)
    else if (this.detail) this.line(`${name} = not set`)
  }

  claims(claims: ClaimsBase, tags: readonly string[] | undefined): void {
    if (this.keys) {
      this.value('Identity Key', claims.sub)
      this.value('Identity Key Present', String(this.session.keystore.has(claims.sub)))
    }
    this.values('Tags', tags)
    this.time('Issued At', claims.iat)
    this.time('Valid From', claims.nbf)
    this.time('Expires', claims.exp)
  }

  validation(claims: Claims): void {
    const issues = validate(claims)
    if (issues.length === 0) {
      if (!this.detail) return
      this.line('--- Validation (no issues) ---')
    } else this.line('==**<color:red>Validation</color>**==')
    const texts = (blocking: boolean) =>
      issues.filter(({ level }) => (level === 'error') === blocking).map(({ text }) => text)
    this.value('Errors', texts(true).map(quote).join(' '))
    this.values('Warnings', texts(false))
  }

  private limit(name: string, limit: Int64 | undefined): void {
    const value = limit ?? 0
    if (Number(value) === -1) this.value(name, '-1 (unlimited)')
    else this.value(name, Number(value) === 0 ? '0 (disabled)' : String(value))
  }

  /** Heads a block of limits; false when there is nothing to tell. */
  private limits(title: string, unlimited: boolean): boolean {
    if (unlimited && !this.detail) return false
    this.line(unlimited ? `--- ${title} (unlimited)---` : `--- ${title} ---`)
    return true
  }

  private accountLimits(limits: OperatorLimits): void {
    const numbers = [limits.exports, limits.imports, limits.conn, limits.leaf]
    const open = numbers.every((value) => Number(value) === -1)
    if (!this.limits('Account Limits', open && limits.wildcards === true && !limits.disallow_bearer)) return
    this.limit('Max Exports', limits.exports)
    this.limit('Max Imports', limits.imports)
    this.limit('Max Client Connections', limits.conn)
    this.limit('Max Leaf Node Connections', limits.leaf)
    this.value('Allow Wildcard Exports', String(limits.wildcards ?? false))
    this.value('Disallow bearer token', String(limits.disallow_bearer ?? false))
  }

  private natsLimits({ payload, subs, data }: NatsLimits): void {
    const open = [payload, subs, data].every((value) => Number(value) === -1)
    if (!this.limits('Nats Limits', open)) return
    this.limit('Max Payload', payload)
    this.limit('Max Subscriber', subs)
    this.limit('Max Number of bytes', data)
  }

  private jetStreamLimits(limits: JetStreamLimits): void {
    const { mem_storage: memory = 0, disk_storage: disk = 0, streams = 0, consumer = 0 } = limits
    const rest = [limits.max_ack_pending, limits.mem_max_stream_bytes, limits.disk_max_stream_bytes]
    const open =
      [memory, disk, streams, consumer].every((value) => Number(value) === -1) &&
      rest.every((value) => Number(value ?? 0) <= 0) &&
      !limits.max_bytes_required
    if (open) this.line('--- Jetstream Limits (unlimited) ---')
    else if (Number(memory) === 0 && Number(disk) === 0) {
      if (!this.detail) return
      this.line('--- Jetstream Limits (disabled) ---')
    } else this.line('--- Jetstream Limits ---')
    this.limit('Max Memory Storage', memory)
    this.limit('Max Disk Storage', disk)
    this.limit('Max Streams', streams)
    this.limit('Max Consumer', consumer)
  }

  private userLimits({ src, times, times_location }: UserClaims['nats']): void {
    if (!this.limits('User Limits', !src?.length && !times?.length)) return
    this.values('Permitted CIDR blocks', src)
    const ranges = (times ?? []).map(({ start, end }) => ` [${start}-${end}]`).join('')
    this.value('Permitted Times to Connect', `${times_location ?? ''}${ranges}`)
  }

  signingKeys({ name, sub }: ClaimsBase, kind: string, keys: readonly string[]): void {
    if (!this.keys || keys.length === 0) return
    this.line(`map "${name ?? ''}" as ${sub}_sk << ${kind} signing keys >> {`)
    this.line('key => stored')
    for (const key of keys) this.line(`${key} => ${this.session.keystore.has(key)}`)
    this.line('}')
    this.line(`${sub} *-- ${sub}_sk `)
  }

  private permissions({ name, sub }: ClaimsBase, kind: string, permissions: Permissions): string {
    const id = `${sub}_permissions`
    const subjects = (title: string, list: readonly string[] = []) => {
      if (list.length === 0 && !this.detail) return
      this.line(`--- ${title} ---`)
      for (const subject of list) this.line(` ""${subject}""`)
    }
    this.line(`object "${name ?? ''}" as ${id} << ${kind} permissions >> {`)
    subjects('Publish Deny', permissions.pub.deny)
    subjects('Publish Allow', permissions.pub.allow)
    subjects('Subscribe Deny', permissions.sub.deny)
    subjects('Subscribe Allow', permissions.sub.allow)
    if (permissions.resp) {
      this.line('--- Response Permissions ---')
      this.value('Expiration', formatDuration(permissions.resp.ttl))
      this.limit('Max Messages', permissions.resp.max)
    } else if (this.detail) this.line('--- Response Permissions (server default)---')
    this.line('}')
    return id
  }

  signature(signer: ClaimsBase, signed: ClaimsBase): void {
    if (signed.iss === signed.sub) this.line(`${signed.iss} -- ${signed.sub} : "self signed >"`)
    else if (!this.keys || signed.iss === signer.sub) this.line(`${signer.sub} -- ${signed.sub} : "signed >"`)
    else this.line(`${signer.sub}_sk::${signed.iss} -- ${signed.sub} : "signed >"`)
  }
}

function isSet({ pub, sub, resp }: Permissions): boolean {
  return Boolean(pub.allow?.length || pub.deny?.length || sub.allow?.length || sub.deny?.length || resp)
}

function localTime(seconds: number): string {
  const when = new Date(seconds * 1000)
  const local = new Date(when.getTime() - when.getTimezoneOffset() * 60_000).toISOString()
  return local.slice(0, 19).replace('T', ' ')
}
