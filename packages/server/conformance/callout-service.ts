// A callout service under a test's control: it hears every request and answers what the test says.
import { type ConnectionOptions, connect, type Msg, type NatsConnection } from '@nats-io/transport-node'
import {
  type AuthorizationRequestClaims,
  type AuthorizationResponseClaims,
  decodeAuthorizationRequest,
  encode,
  type KeyPair,
  newUserClaims,
  type UserClaims,
} from '@ngs/identity/node'

export const CALLOUT = '$SYS.REQ.USER.AUTH'

export interface CalloutRequest {
  readonly claims: AuthorizationRequestClaims
  readonly message: Msg
}

/** The bytes of an answer; null for none. */
export type Decision = (request: CalloutRequest) => string | Uint8Array | null

export class CalloutService {
  readonly requests: CalloutRequest[] = []
  decide: Decision = () => null
  readonly connection: NatsConnection
  /** Opens what comes sealed. */
  open: (message: Msg) => string = (message) => message.string()

  private constructor(connection: NatsConnection) {
    this.connection = connection
  }

  /** Listens before it returns. */
  static async start(url: string, credentials: ConnectionOptions): Promise<CalloutService> {
    const connection = await connect({ servers: url, reconnect: false, ...credentials })
    const service = new CalloutService(connection)
    connection.subscribe(CALLOUT, {
      callback: (_error, message) => {
        const request = { claims: decodeAuthorizationRequest(service.open(message)), message }
        service.requests.push(request)
        const answer = service.decide(request)
        if (answer !== null) message.respond(answer)
      },
    })
    await connection.flush()
    return service
  }

  /** Forgets what it heard and answers like this from now on. */
  will(decide: Decision): void {
    this.requests.length = 0
    this.decide = decide
  }

  stop(): Promise<void> {
    return this.connection.close()
  }
}

/** A response made out to the request's one-time key and its server. */
export function response(
  { claims }: CalloutRequest,
  signer: KeyPair,
  nats: { jwt?: string; error?: string; issuer_account?: string },
  change: (response: AuthorizationResponseClaims) => void = () => {},
): string {
  const made: AuthorizationResponseClaims = {
    jti: '',
    iat: 0,
    iss: '',
    sub: claims.nats.user_nkey,
    aud: claims.nats.server_id.id,
    nats: { ...nats, type: 'authorization_response', version: 2 },
  }
  change(made)
  return encode(made, signer)
}

/** The JWT of the user that a request is about. */
export function userJwt(
  { claims }: CalloutRequest,
  signer: KeyPair,
  change: (user: UserClaims) => void = () => {},
): string {
  const user = newUserClaims(claims.nats.user_nkey)
  change(user)
  return encode(user, signer)
}
