import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import {
  type AccountClaims,
  createKeyPair,
  decodeAccount,
  encode,
  newOperatorClaims,
  type OperatorClaims,
} from '@ngs/identity/node'

/** One request as the server saw it. */
export interface Seen {
  method: string
  url: string
  contentType: string
  body: string
}

type Answer = { status: number; body?: string; headers?: Record<string, string>; cut?: boolean }

/**
 * An operator's account server: takes self-signed accounts, signs them with its signing key, gives them back. What
 * it answers can be changed, to be as difficult as servers are.
 */
export class AccountServer {
  readonly seen: Seen[] = []
  readonly accounts = new Map<string, string>()
  readonly operatorKey = createKeyPair('operator')
  readonly signingKey = createKeyPair('operator')
  readonly operator: OperatorClaims
  url = ''
  /** Changes what the server does to an account before it signs it. */
  modify: (account: AccountClaims) => void = () => {}
  /** Told of each account it has signed, before the push is answered. */
  signed: (token: string) => Promise<void> = async () => {}
  onPost: ((token: string) => Answer | null) | null = null
  onGet: ((token: string | undefined) => Answer | null) | null = null
  onOperator: ((version: string) => Answer | null) | null = null

  private constructor(name: string) {
    this.operator = newOperatorClaims(this.operatorKey.publicKey, name)
    this.operator.nats.signing_keys = [this.signingKey.publicKey]
  }

  static async start(t: TestContext, name = 'T'): Promise<AccountServer> {
    const server = new AccountServer(name)
    const listener = http.createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8')
      request.on('data', (part: string) => {
        body += part
      })
      request.on('end', () => {
        const { method = '', url = '' } = request
        server.seen.push({ method, url, contentType: request.headers['content-type'] ?? '', body })
        const answer = server.answer(method, url, body)
        if (answer.cut) return void request.socket.destroy()
        const key = url.split('/').at(-1) ?? ''
        const told =
          method === 'POST' && answer.status === 200 ? server.signed(server.accounts.get(key) ?? '') : null
        void Promise.resolve(told).then(() => {
          response.writeHead(answer.status, answer.headers ?? {})
          response.end(answer.body ?? '')
        })
      })
    })
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    t.after(() => listener.close())
    server.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
    server.operator.nats.account_server_url = `${server.url}/jwt/v1`
    return server
  }

  get operatorToken(): string {
    return encode(this.operator, this.operatorKey)
  }

  get operatorUrl(): string {
    return `${this.url}/jwt/v1/operator`
  }

  private answer(method: string, url: string, body: string): Answer {
    const { pathname } = new URL(url, this.url)
    const operator = /^\/jwt\/(v[12])\/operator$/.exec(pathname)
    if (operator) return this.onOperator?.(operator[1] ?? '') ?? { status: 200, body: this.operatorToken }
    const key = /^\/jwt\/v1\/accounts\/(A\w+)$/.exec(pathname)?.[1]
    if (key === undefined) return { status: 404 }
    if (method === 'GET') {
      const token = this.accounts.get(key)
      return this.onGet?.(token) ?? (token ? { status: 200, body: token } : { status: 404 })
    }
    const refused = this.onPost?.(body)
    if (refused) return refused
    const account = decodeAccount(body)
    this.modify(account)
    this.accounts.set(key, encode(account, this.signingKey))
    return { status: 200 }
  }

  /** Methods and paths of the requests since the last call, keys shortened. */
  takeSeen(): string[] {
    return this.seen.splice(0).map(({ method, url }) => `${method} ${url.replace(/A[A-Z2-7]{55}/, 'A..')}`)
  }
}
