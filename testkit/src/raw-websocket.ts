// A WebSocket connection on which a test makes the upgrade and every frame by hand.
import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import type { Cleanup } from './cleanup.ts'
import { PingFilter } from './pings.ts'
import { DEADLINE_MS } from './wait.ts'

export interface Frame {
  fin: boolean
  /** The compression bit. */
  rsv1: boolean
  opcode: number
  payload: Buffer
}

export interface RawWebSocketOptions {
  path?: string
  /** More or other header fields; undefined leaves one out. */
  headers?: Record<string, string | undefined>
  tls?: ConnectionOptions
  method?: string
  /** Sent right behind the request. */
  early?: string
  /** Longest wait for anything expected, in ms. */
  deadline?: number
  /** true: PINGs of the protocol are left in what `until` reads. Without it they are answered, and it does not see them. */
  pings?: boolean
}

export interface FrameOptions {
  fin?: boolean
  mask?: boolean
  /** The reserved bits. */
  rsv?: number
}

export interface HttpAnswer {
  status: number
  headers: Map<string, string>
  /** The head, as it came. */
  head: string
}

export class RawWebSocket {
  answer: HttpAnswer = { status: 0, headers: new Map(), head: '' }
  readonly #socket: Socket
  readonly #deadline: number
  readonly #filter: PingFilter | null
  /** What came and was not read, in the pieces that it came in. */
  #pieces: Buffer[] = []
  #size = 0
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket, { deadline = DEADLINE_MS, pings = false }: RawWebSocketOptions) {
    this.#socket = socket
    this.#deadline = deadline
    this.#filter = pings ? null : new PingFilter()
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk)
      this.#size += chunk.length
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end).on('close', end).on('error', end)
  }

  /** Connects, asks for the upgrade and reads the head of the answer. The connection is destroyed after the test. */
  static async connect(t: Cleanup, url: string, options: RawWebSocketOptions = {}): Promise<RawWebSocket> {
    const { hostname: host, port: text, protocol } = new URL(url)
    const port = Number(text)
    const socket =
      protocol === 'wss:' ? connectTls({ host, port, ...options.tls }) : connectTcp({ host, port })
    const client = new RawWebSocket(socket, options)
    t.after(() => socket.destroy())
    await client.ask(`${host}:${port}`, options)
    return client
  }

  /** Sends a request for the upgrade and reads the head of the answer. */
  async ask(host: string, options: RawWebSocketOptions = {}): Promise<HttpAnswer> {
    const headers: Record<string, string | undefined> = {
      Host: host,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      ...options.headers,
    }
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : `${name}: ${value}`,
    )
    const { method = 'GET', path = '/', early = '' } = options
    this.#socket.write(`${[`${method} ${path} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n${early}`)
    await this.#until(() => this.#joined().includes('\r\n\r\n'), 'an HTTP answer')
    const head = (await this.bytes(this.#joined().indexOf('\r\n\r\n') + 4)).toString('latin1').slice(0, -4)
    const [first, ...rest] = head.split('\r\n')
    const fields = rest.map((line) => /^([^:]*): (.*)$/.exec(line)!)
    this.answer = {
      status: Number(first!.split(' ')[1]),
      headers: new Map(fields.map(([, name, value]) => [name!.toLowerCase(), value!])),
      head,
    }
    return this.answer
  }

  /** The body of an answer that says its length. */
  async body(): Promise<string> {
    return (await this.bytes(Number(this.answer.headers.get('content-length')))).toString()
  }

  // ---- saying

  send(bytes: Buffer): void {
    this.#socket.write(bytes)
  }
  frame(opcode: number, payload: Buffer | string, options: FrameOptions = {}): void {
    this.send(encodeFrame(opcode, payload, options))
  }
  /** Lines of the protocol as one binary message. */
  say(...lines: string[]): void {
    this.frame(2, lines.map((line) => `${line}\r\n`).join(''))
  }
  /** Stops and goes on reading from the socket, to play a slow consumer. */
  pause(): void {
    this.#socket.pause()
  }
  resume(): void {
    this.#socket.resume()
  }
  destroy(): void {
    this.#socket.destroy()
  }

  // ---- hearing

  async #until(ready: () => boolean, what: string): Promise<void> {
    const end = Date.now() + this.#deadline
    while (!ready()) {
      if (this.#ended) throw new Error(`the connection ended instead of ${what}`)
      const left = end - Date.now()
      if (left <= 0) throw new Error(`waited ${this.#deadline} ms for ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async bytes(count: number): Promise<Buffer> {
    await this.#until(() => this.#size >= count, `${count} bytes`)
    const buffer = this.#joined()
    this.#pieces = [buffer.subarray(count)]
    this.#size -= count
    return buffer.subarray(0, count)
  }

  #joined(): Buffer {
    if (this.#pieces.length !== 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0]!
  }

  /** The next frame; masked ones are an error, since a server sends none. */
  async read(): Promise<Frame> {
    const [first, second] = (await this.bytes(2)) as unknown as [number, number]
    if ((second & 0x80) !== 0) throw new Error('a server does not mask')
    let size = second & 0x7f
    if (size === 126) size = (await this.bytes(2)).readUInt16BE()
    else if (size === 127) size = Number((await this.bytes(8)).readBigUInt64BE())
    const payload = Buffer.from(await this.bytes(size))
    return { fin: (first & 0x80) !== 0, rsv1: (first & 0x40) !== 0, opcode: first & 0x0f, payload }
  }

  /** Text of the next binary messages until it ends with this, which is the end of a line. */
  async until(end: string): Promise<string> {
    let text = ''
    while (!text.endsWith(end)) {
      const { opcode, payload } = await this.read()
      if (opcode !== 2)
        throw new Error(`a frame of opcode ${opcode} instead of ${JSON.stringify(end)} after ${text}`)
      text += this.withoutPings(payload).toString('latin1')
    }
    return text
  }

  /** A payload of the protocol without the PINGs in it, which are answered. */
  withoutPings(payload: Buffer): Buffer {
    if (this.#filter === null) return payload
    const { bytes, pings } = this.#filter.feed(payload)
    for (let i = 0; i < pings; i++) this.say('PONG')
    return bytes
  }

  /** The close frame, as code and text ('' for an empty one), and whether the connection ended behind it. */
  async closing(): Promise<string> {
    const { opcode, payload } = await this.read()
    if (opcode !== 8) throw new Error(`a frame of opcode ${opcode} instead of the close frame: ${payload}`)
    await this.ended()
    return payload.length === 0 ? '' : `${payload.readUInt16BE()} ${payload.subarray(2)}`
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<void> {
    await this.#until(() => this.#ended, 'the end of the connection')
  }
}

export function encodeFrame(opcode: number, content: Buffer | string, options: FrameOptions = {}): Buffer {
  const { fin = true, mask = true, rsv = 0 } = options
  const payload = Buffer.from(content as string, 'latin1')
  const bits = (fin ? 0x80 : 0) | rsv | opcode
  const masked = mask ? 0x80 : 0
  let head: Buffer
  if (payload.length <= 125) head = Buffer.from([bits, masked | payload.length])
  else if (payload.length < 65_536) {
    head = Buffer.from([bits, masked | 126, 0, 0])
    head.writeUInt16BE(payload.length, 2)
  } else {
    head = Buffer.alloc(10)
    head[0] = bits
    head[1] = masked | 127
    head.writeBigUInt64BE(BigInt(payload.length), 2)
  }
  if (!mask) return Buffer.concat([head, payload])
  const key = randomBytes(4)
  return Buffer.concat([head, key, payload.map((byte, i) => byte ^ key[i & 3]!)])
}
