// A connection on which a test talks the protocol by hand. Reads are exact to the byte, but for the PINGs of the server, and have a deadline.
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Cleanup } from './cleanup.ts'
import { PingFilter } from './pings.ts'
import { DEADLINE_MS } from './wait.ts'

/** A server that does not close a connection within this time, since it stands still or is none, is not waited for. */
const GOODBYE_MS = 2_000

/** INFO, as far as tests look into it. */
export interface Info extends Record<string, unknown> {
  server_id: string
  max_payload: number
  client_id: number
  nonce?: string
}

/** A MSG or HMSG. `headers` are the raw bytes of the header block as latin1, '' for MSG. */
export interface Message {
  op: 'MSG' | 'HMSG'
  subject: string
  sid: string
  reply: string
  headers: string
  payload: string
}

export interface RawOptions {
  host?: string
  /** Upgrade to TLS after INFO, or before it with `tlsFirst`. */
  tls?: ConnectionOptions
  tlsFirst?: boolean
  /** Longest wait for anything expected, in ms. */
  deadline?: number
  /** false: do not wait for INFO; `info` stays empty. */
  readInfo?: boolean
  /** true: PINGs of the server are left in what is read. Without it they are answered, and reads do not see them. */
  pings?: boolean
}

export class RawClient {
  /** The first INFO. */
  info = {} as Info
  readonly #deadline: number
  readonly #filter: PingFilter | null
  #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket, { deadline = DEADLINE_MS, pings = false }: RawOptions) {
    this.#socket = socket
    this.#deadline = deadline
    this.#filter = pings ? null : new PingFilter()
    this.#listen()
  }

  #listen(): void {
    this.#socket.setNoDelay(true)
    const socket = this.#socket
    const add = (bytes: Buffer): void => {
      this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes])
    }
    socket.on('data', (chunk: Buffer) => {
      if (this.#filter === null) add(chunk)
      else {
        const { bytes, pings } = this.#filter.feed(chunk)
        add(bytes)
        if (pings > 0 && socket.writable) socket.write('PONG\r\n'.repeat(pings))
      }
      this.#wake()
    })
    const end = (): void => {
      if (this.#filter !== null) add(this.#filter.end())
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end).on('close', end).on('error', end)
  }

  /** Connects and reads INFO. The connection is closed after the test, by both sides: the next test does not meet it. */
  static async connect(t: Cleanup, target: number | string, options: RawOptions = {}): Promise<RawClient> {
    const url = typeof target === 'number' ? null : new URL(target)
    const host = options.host ?? url?.hostname ?? '127.0.0.1'
    const port = typeof target === 'number' ? target : Number(url!.port)
    const socket = options.tlsFirst
      ? connectTls({ host, port, ...options.tls })
      : connectTcp({ host, port, allowHalfOpen: true })
    const client = new RawClient(socket, options)
    t.after(() => client.#leave())
    if (options.readInfo === false) return client
    client.info = await client.expectInfo()
    if (options.tls && !options.tlsFirst) await client.startTls(options.tls, host)
    return client
  }

  /** Goes on with TLS, after INFO has been read. @throws when the handshake fails. */
  async startTls(tls: ConnectionOptions, host = '127.0.0.1'): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close')
    this.#socket = connectTls({ ...tls, socket: plain, host })
    this.#listen()
    await new Promise<void>((resolve, reject) => {
      this.#socket.once('secureConnect', resolve).once('error', reject)
    })
  }

  // ---- saying

  /** Sends bytes; text goes as latin1, one byte per character. */
  send(data: string | Uint8Array): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }
  /** Sends each line with CRLF behind it. */
  say(...lines: string[]): void {
    this.send(lines.map((line) => `${line}\r\n`).join(''))
  }
  /** CONNECT with exactly these fields. */
  connect(fields: Record<string, unknown> = { verbose: false, pedantic: false }): void {
    this.send(Buffer.from(`CONNECT ${JSON.stringify(fields)}\r\n`))
  }
  /** SUB; `queue` goes before the sid. */
  sub(subject: string, sid: number | string, queue?: string): void {
    this.say(queue === undefined ? `SUB ${subject} ${sid}` : `SUB ${subject} ${queue} ${sid}`)
  }
  unsub(sid: number | string, max?: number): void {
    this.say(max === undefined ? `UNSUB ${sid}` : `UNSUB ${sid} ${max}`)
  }
  pub(subject: string, payload = '', reply = ''): void {
    const bytes = Buffer.from(payload)
    this.send(`PUB ${subject} ${reply === '' ? '' : `${reply} `}${bytes.length}\r\n`)
    this.send(bytes)
    this.send('\r\n')
  }
  /** HPUB; `headers` are whole lines without CRLF. */
  hpub(subject: string, headers: readonly string[], payload = '', reply = ''): void {
    const block = Buffer.from(`NATS/1.0\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`)
    const body = Buffer.from(payload)
    this.send(
      `HPUB ${subject} ${reply === '' ? '' : `${reply} `}${block.length} ${block.length + body.length}\r\n`,
    )
    this.send(Buffer.concat([block, body, Buffer.from('\r\n')]))
  }

  // ---- hearing

  #buffered(): string {
    const rest = this.#filter?.rest.toString('latin1') ?? ''
    return JSON.stringify((this.#buffer.toString('latin1') + rest).slice(0, 2_000))
  }

  async #until(ready: () => boolean, what: string): Promise<void> {
    const end = Date.now() + this.#deadline
    while (!ready()) {
      if (this.#ended) throw new Error(`the connection ended instead of ${what}; left: ${this.#buffered()}`)
      const left = end - Date.now()
      if (left <= 0) throw new Error(`waited ${this.#deadline} ms for ${what}; left: ${this.#buffered()}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** The next `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#buffer.length >= count, `${count} bytes`)
    const bytes = this.#buffer.subarray(0, count)
    this.#buffer = this.#buffer.subarray(count)
    return bytes
  }

  /** The next line without its CRLF. */
  async line(what = 'a line'): Promise<string> {
    await this.#until(() => this.#buffer.includes('\r\n'), what)
    const end = this.#buffer.indexOf('\r\n')
    const line = this.#buffer.toString('latin1', 0, end)
    this.#buffer = this.#buffer.subarray(end + 2)
    return line
  }

  /** The next lines are these, one after the other; a pattern has to match its whole line's content somewhere. */
  async expect(...lines: (string | RegExp)[]): Promise<void> {
    for (const expected of lines) {
      const what = typeof expected === 'string' ? JSON.stringify(expected) : String(expected)
      const line = await this.line(what)
      const same = typeof expected === 'string' ? line === expected : expected.test(line)
      if (!same)
        throw new Error(`expected ${what}, got ${JSON.stringify(line)}; behind it: ${this.#buffered()}`)
    }
  }

  /** The next line is `-ERR '<text>'`. */
  expectErr(text: string): Promise<void> {
    return this.expect(`-ERR '${text}'`)
  }

  /** The next line is INFO; its JSON. */
  async expectInfo(): Promise<Info> {
    const line = await this.line('INFO')
    if (!line.startsWith('INFO ')) throw new Error(`expected INFO, got ${JSON.stringify(line)}`)
    return JSON.parse(Buffer.from(line.slice(5), 'latin1').toString('utf8')) as Info
  }

  /** The next line begins a MSG or HMSG; reads all of it. Text is latin1. */
  async message(): Promise<Message> {
    const line = await this.line('a message')
    const [op, ...args] = line.split(' ')
    if (op !== 'MSG' && op !== 'HMSG') throw new Error(`expected a message, got ${JSON.stringify(line)}`)
    const numbers = op === 'MSG' ? 1 : 2
    const total = Number(args.at(-1))
    const headerLength = op === 'MSG' ? 0 : Number(args.at(-2))
    const body = (await this.bytes(total + 2)).toString('latin1')
    if (!body.endsWith('\r\n')) throw new Error(`no CRLF behind ${JSON.stringify(line)}`)
    return {
      op,
      subject: args[0]!,
      sid: args[1]!,
      reply: args.length === 3 + numbers ? args[2]! : '',
      headers: body.slice(0, headerLength),
      payload: body.slice(headerLength, -2),
    }
  }

  /**
   * PING, then everything up to its PONG, as text without the PONG: what came before it is all that came, so '' proves that nothing did.
   * Messages of another connection are proven to have come or not when that one was flushed before.
   */
  async flush(): Promise<string> {
    this.send('PING\r\n')
    const pong = /(^|\r\n)PONG\r\n/
    await this.#until(() => pong.test(this.#buffer.toString('latin1')), 'PONG')
    const text = this.#buffer.toString('latin1')
    const match = pong.exec(text)!
    this.#buffer = this.#buffer.subarray(match.index + match[0].length)
    return text.slice(0, match.index + match[1]!.length)
  }

  /** PING is answered and nothing came before its answer. */
  async pingPong(): Promise<void> {
    const before = await this.flush()
    if (before !== '') throw new Error(`expected nothing before PONG, got ${JSON.stringify(before)}`)
  }

  /** Waits for the end of the connection; the bytes that came before it and were not read yet, as text. */
  async closed(): Promise<string> {
    await this.#until(() => this.#ended, 'the end of the connection')
    const text = this.#buffer.toString('latin1')
    this.#buffer = Buffer.alloc(0)
    return text
  }

  /** Stops and goes on reading from the socket, to play a slow consumer. */
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  /** Says that nothing more comes, and goes on hearing. */
  end(): void {
    this.#socket.end()
  }
  /** Says goodbye and waits until the server has closed its side, unless nobody reads what it still says. */
  async #leave(): Promise<void> {
    const socket = this.#socket
    if (!this.#ended && !socket.destroyed && !socket.isPaused()) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, GOODBYE_MS)
        this.#wake = () => {
          if (!this.#ended) return
          clearTimeout(timer)
          resolve()
        }
        socket.end()
      })
    }
    socket.destroy()
  }
  /** Closes our side, as a client that goes away. */
  destroy(): void {
    this.#socket.destroy()
  }
  /** What the connection's other side sees as our port. */
  get localPort(): number {
    return this.#socket.localPort!
  }
}
