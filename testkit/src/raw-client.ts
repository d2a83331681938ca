// A connection one talks the protocol on by hand. Reads are exact and have a deadline.
import { connect, type Socket } from 'node:net'

const DEADLINE_MS = 5_000

export class RawClient {
  /** INFO as it came first. */
  info: Record<string, unknown> = {}
  readonly #socket: Socket
  #buffer = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#wake()
    })
    const end = (): void => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', end)
    socket.on('close', end)
    socket.on('error', end)
  }

  /** Connects and reads INFO. */
  static async connect(t: { after(task: () => void): void }, port: number): Promise<RawClient> {
    const socket = connect(port, '127.0.0.1')
    const client = new RawClient(socket)
    t.after(() => void socket.destroy())
    const line = await client.line()
    if (!line.startsWith('INFO ')) throw new Error(`expected INFO, got ${line}`)
    client.info = JSON.parse(line.slice(5)) as Record<string, unknown>
    return client
  }

  /** Sends bytes; text goes as latin1, one byte per character. */
  send(data: string | Buffer): void {
    this.#socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data)
  }

  /** Sends each line with CRLF behind it. */
  say(...lines: string[]): void {
    this.send(lines.map((line) => `${line}\r\n`).join(''))
  }

  async #until(ready: () => boolean, what: string): Promise<void> {
    const end = Date.now() + DEADLINE_MS
    while (!ready()) {
      if (this.#ended)
        throw new Error(
          `the connection ended while waiting for ${what}; buffered: ${JSON.stringify(this.#buffer.toString('latin1'))}`,
        )
      const left = end - Date.now()
      if (left <= 0)
        throw new Error(
          `waited ${DEADLINE_MS} ms for ${what}; buffered: ${JSON.stringify(this.#buffer.toString('latin1'))}`,
        )
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** The next line without its CRLF. */
  async line(): Promise<string> {
    await this.#until(() => this.#buffer.includes('\r\n'), 'a line')
    const end = this.#buffer.indexOf('\r\n')
    const line = this.#buffer.toString('latin1', 0, end)
    this.#buffer = this.#buffer.subarray(end + 2)
    return line
  }

  /** Everything up to and without the PONG that answers a PING sent now: what came before it is all that came. */
  async flush(): Promise<string> {
    this.send('PING\r\n')
    await this.#until(() => /(^|\r\n)PONG\r\n/.test(this.#buffer.toString('latin1')), 'PONG')
    const text = this.#buffer.toString('latin1')
    const match = /(^|\r\n)PONG\r\n/.exec(text)!
    const end = match.index + match[0].length
    this.#buffer = this.#buffer.subarray(end)
    return text.slice(0, match.index + (match[1] ?? '').length)
  }

  /** Waits for exactly these bytes next. */
  async expect(expected: string): Promise<void> {
    await this.#until(
      () => this.#buffer.length >= expected.length || !expected.startsWith(this.#buffer.toString('latin1')),
      JSON.stringify(expected),
    )
    const got = this.#buffer.toString('latin1', 0, expected.length)
    if (got !== expected)
      throw new Error(
        `expected ${JSON.stringify(expected)}, got ${JSON.stringify(this.#buffer.toString('latin1'))}`,
      )
    this.#buffer = this.#buffer.subarray(expected.length)
  }

  /** Waits for the end of the connection; everything that came before it and was not read yet. */
  async closed(): Promise<string> {
    await this.#until(() => this.#ended, 'the end of the connection')
    return this.#buffer.toString('latin1')
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
}
