// Auth callout: a service of the operator or of the account decides who comes in. The server asks it with a signed JWT about the client
// and gets a signed JWT back that holds the user's, made out to a one-time key. What the answer means for the client is the business of
// the mode (config.ts, jwt.ts): where the user's place is and what it may do there.
import {
  type AuthorizationRequestBody,
  type AuthorizationResponseClaims,
  createKeyPair,
  decodeAuthorizationResponse,
  decodeUser,
  encode,
  type UserClaims,
  type UserPermissionLimits,
  validate,
} from '@ngs/identity/node'
import type { Account } from '../account/account.ts'
import { randomToken } from '../account/random.ts'
import { authTimeout } from '../options.ts'
import type { Server } from '../server.ts'
import type { PermissionsSpec } from '../subject/permissions.ts'
import { VERSION } from '../version.ts'
import {
  type Admission,
  type AuthResult,
  type ConnectAttempt,
  type ConnectionType,
  claimedUser,
  type Denial,
  type UserIdentity,
} from './authenticator.ts'
import { PROXY_REQUIRED } from './proxies.ts'
import { typeProblem, validity } from './windows.ts'

/** Where requests go, in the account of the service. Its clients cannot publish there. */
const CALLOUT_SUBJECT = '$SYS.REQ.USER.AUTH'
const AUDIENCE = 'nats-authorization-request'
const XKEY_HEADER = 'Nats-Server-Xkey'
/** How every JWT begins: what does not is sealed. */
const JWT_START = Buffer.from('eyJ')

/** An answer that lets nobody in; the text goes to the log and, with a capital letter, into the event. */
export class CalloutError extends Error {
  /** A proxy is wanted: the connection's close says so. */
  readonly proxy: boolean
  constructor(text: string, proxy = false) {
    super(text)
    this.proxy = proxy
  }
}

/** One question, and how its answer is to be judged. */
export interface Callout {
  readonly attempt: ConnectAttempt
  /** Account of the service. */
  readonly account: Account
  /** Whom the request is made out to: the issuer of the configuration, or the account. */
  readonly subject: string
  /** Curve key of the service; empty for requests that anybody may read. */
  readonly xkey: string
  /** What was found out about the client so far. */
  readonly user: UserIdentity
  readonly isProxied: boolean
  /** The client's own JWT demands a proxy. */
  readonly needsProxy: boolean
  /** Why an answer that is not sealed is not believed; null for a good signature. */
  unsigned(response: AuthorizationResponseClaims): string | null
  /** Takes the user of the answer in. @throws CalloutError. */
  place(claims: UserClaims): Admission | Promise<Admission>
}

/** Asks, and waits for the answer as long as a client may take to authenticate. */
export function askService(server: Server, callout: Callout): Promise<Admission | Denial> {
  const { account, xkey } = callout
  const { log, options } = server
  const oneTime = createKeyPair('user').publicKey
  const reply = `$SYS._INBOX.${randomToken(8)}.${randomToken(8)}`
  return new Promise((resolve) => {
    let judging = false
    const finish = (result: AuthResult): void => {
      clearTimeout(timer)
      unsubscribe()
      resolve(result)
    }
    const refuse = (reason: string, proxy = false): void => {
      const refusal: Denial = proxy
        ? PROXY_REQUIRED
        : { ok: false, reason: 'Authentication Failure', log: '' }
      finish({ ...refusal, told: { account, reason } })
    }
    const unsubscribe = account.subscribeInternal(reply, (_subject, frame) => {
      // The first answer counts.
      if (judging) return true
      judging = true
      const body = Buffer.from(
        frame.data.subarray(frame.dataStart + Math.max(frame.headerSize, 0), frame.dataEnd),
      )
      judge(server, callout, oneTime, body).then(finish, (error: Error) => {
        const text = `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}`
        log.warn(text)
        refuse(text, error instanceof CalloutError && error.proxy)
      })
      return true
    })
    const timer = setTimeout(() => {
      if (judging) return
      log.debug(
        `Authorization callout response not received in time on account ${JSON.stringify(account.name)}`,
      )
      refuse('')
    }, authTimeout(options))
    const token = requestToken(server, callout, oneTime)
    if (xkey === '') account.publishInternal(CALLOUT_SUBJECT, reply, token)
    else {
      const sealed = Buffer.from(server.curve.pair.seal(Buffer.from(token), xkey))
      const headers = `NATS/1.0\r\n${XKEY_HEADER}: ${server.curve.publicKey}\r\n\r\n`
      account.publishInternal(CALLOUT_SUBJECT, reply, sealed, headers)
    }
  })
}

function requestToken(server: Server, callout: Callout, oneTime: string): string {
  const { attempt, subject, xkey, user } = callout
  const { connect, tls } = attempt
  const { serverTags, host } = server.options
  const filled = <K extends string>(name: K, value: string | undefined): Partial<Record<K, string>> =>
    value ? ({ [name]: value } as Record<K, string>) : {}
  const nats: AuthorizationRequestBody = {
    server_id: {
      name: server.name,
      host,
      id: server.id,
      version: VERSION,
      ...(serverTags.length > 0 ? { tags: serverTags } : {}),
      ...(xkey === '' ? {} : { xkey: server.curve.publicKey }),
    },
    user_nkey: oneTime,
    client_info: {
      host: attempt.ip,
      id: attempt.cid,
      ...filled('user', claimedUser(connect, user.kind === 'jwt' ? user.user : '')),
      ...filled('name', connect.name),
      ...(user.tags === undefined || user.tags.length === 0 ? {} : { tags: [...user.tags] }),
      ...filled('name_tag', user.userName),
      kind: 'Client',
      type: attempt.connectionType === 'WEBSOCKET' ? 'websocket' : 'nats',
      ...(connect.sig === '' ? {} : { nonce: attempt.nonce }),
    },
    connect_opts: {
      ...filled('jwt', connect.jwt),
      ...filled('nkey', connect.nkey),
      ...filled('sig', connect.sig),
      ...filled('auth_token', connect.auth_token),
      ...filled('user', connect.user),
      ...filled('pass', connect.pass),
      ...filled('name', connect.name),
      ...filled('lang', connect.lang),
      ...filled('version', connect.version),
      protocol: connect.protocol,
    },
    type: 'authorization_request',
    version: 2,
  }
  if (tls !== null) {
    const own = tls.certificate === undefined ? [] : [tls.certificate]
    const pem = (tls.verified ? tls.verifiedChain() : own).map(String)
    nats.client_tls = {
      version: tls.version,
      cipher: tls.cipher,
      ...(pem.length === 0 ? {} : tls.verified ? { verified_chains: [pem] } : { certs: pem }),
    }
  }
  const claims = {
    jti: '',
    iat: 0,
    iss: '',
    sub: subject,
    aud: AUDIENCE,
    exp: Math.floor((Date.now() + authTimeout(server.options)) / 1000),
    nats,
  }
  return encode(claims, server.keys)
}

/** @throws CalloutError or IdentityError for an answer that lets nobody in. */
async function judge(server: Server, callout: Callout, oneTime: string, body: Buffer): Promise<Admission> {
  const { account, needsProxy, isProxied } = callout
  const claims = userOf(server, callout, oneTime, body)
  if ((needsProxy || claims.nats.proxy_required) && !isProxied)
    throw new CalloutError(PROXY_REQUIRED.log, true)
  const [issue] = validate(claims)
  if (issue !== undefined) throw new CalloutError(`Error validating user JWT: ${issue.text}`)
  if (claims.sub !== oneTime) {
    throw new CalloutError(
      `Expected authorized user of "${oneTime}" but got "${claims.sub}" on account ${JSON.stringify(account.name)}`,
    )
  }
  return callout.place(claims)
}

/** The user that an answer holds. */
function userOf(server: Server, callout: Callout, oneTime: string, body: Buffer): UserClaims {
  const { account, xkey } = callout
  const name = JSON.stringify(account.name)
  if (body.length === 0)
    throw new CalloutError(`auth callout violation: "no reason supplied" on account ${name}`)
  const isSealed = xkey !== '' && !body.subarray(0, JWT_START.length).equals(JWT_START)
  let token = body.toString('latin1')
  if (isSealed) {
    try {
      token = Buffer.from(server.curve.pair.open(body, xkey)).toString('latin1')
    } catch (error) {
      throw new CalloutError(
        `error decrypting auth callout response on account ${name}: ${(error as Error).message}`,
      )
    }
  }
  const response = decodeAuthorizationResponse(token)
  const [issue] = validate(response)
  if (issue !== undefined)
    throw new CalloutError(`authorization response had validation errors: ${issue.text}`)
  if (response.sub !== oneTime)
    throw new CalloutError('auth callout violation: auth callout response is not for expected user')
  if (response.aud !== server.id)
    throw new CalloutError('auth callout violation: auth callout response is not for server')
  // Nobody but the service can have sealed it.
  const unsigned = isSealed ? null : callout.unsigned(response)
  if (unsigned !== null) throw new CalloutError(unsigned)
  if (response.nats.error)
    throw new CalloutError(`auth callout service returned an error: ${response.nats.error}`)
  return decodeUser(response.nats.jwt ?? '')
}

/** When the user of an answer has to leave, null for never. @throws CalloutError when it may not come in now, or like this. */
export function expiryOf(
  callout: Account['name'],
  { exp }: UserClaims,
  limits: UserPermissionLimits,
  type: ConnectionType,
): number | null {
  const who = `authorized user on account ${JSON.stringify(callout)}`
  const times = validity(exp, limits)
  if (times === null) throw new CalloutError(`${who} outside of valid connect times`)
  const wrong = typeProblem(limits, type)
  if (wrong === null) return times.expiresAt
  throw new CalloutError(
    `${who} ${wrong.unknown ? 'using invalid connection type' : 'not allowed to use connection type'}`,
  )
}

/** The user of an answer, in force: CONNECT's JWT goes, and a name in the user JWT takes the place of what the client called itself. */
export function admitted(
  { attempt, user }: Pick<Callout, 'attempt' | 'user'>,
  claims: UserClaims,
  account: Account,
  own: PermissionsSpec | null,
  defaults: PermissionsSpec | null,
  expiresAt: number | null,
): Admission {
  const { connect } = attempt
  connect.jwt = ''
  if (claims.name) {
    connect.user = claims.name
    connect.nkey = ''
    connect.auth_token = ''
  }
  const kind = connect.nkey !== '' ? 'nkey' : connect.user !== '' ? 'user' : 'token'
  const known = claimedUser(connect)
  const { userName, tags, proxyKey } = user
  return {
    ok: true,
    account,
    user: {
      user: known,
      kind: known === '' ? 'none' : kind,
      key: claims.sub,
      issuerKey: claims.nats.issuer_account ? claims.iss : account.name,
      issuedAt: Number(claims.iat),
      defaultPermissions: own === null,
      ...(userName === undefined ? {} : { userName }),
      ...(tags === undefined ? {} : { tags }),
      ...(proxyKey === undefined ? {} : { proxyKey }),
    },
    permissions: own ?? defaults,
    // The limits of this JWT hold nobody: only permissions and times do.
    limits: { payload: -1, subs: -1 },
    expiresAt,
  }
}

/** The service refuses whom the own checks may have refused before: their reason stays unless the service's says more. */
export function refusedByBoth(own: AuthResult, answer: Denial): Denial {
  const isOwn = !own.ok && answer.reason === 'Authentication Failure'
  return isOwn ? { ...own, ...(answer.told === undefined ? {} : { told: answer.told }) } : answer
}

/** Clients in the account of the service cannot ask it themselves. */
export function withoutCallout(result: AuthResult, account: Account | undefined): AuthResult {
  if (!result.ok || result.account !== account) return result
  return { ...result, permissions: denyingCallout(result.permissions) }
}

export function denyingCallout(permissions: PermissionsSpec | null): PermissionsSpec {
  const { publish, subscribe, responses } = permissions ?? {
    publish: { allow: [], deny: [] },
    subscribe: { allow: [], deny: [] },
    responses: null,
  }
  return { publish: { ...publish, deny: [...publish.deny, CALLOUT_SUBJECT] }, subscribe, responses }
}
