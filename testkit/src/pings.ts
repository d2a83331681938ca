/**
 * Takes the PINGs out of what a server says. It sends them when it likes, the first about two seconds after the connection, so on a slow
 * machine they come between whatever a test waits for. A line that is not whole is kept until it is; payloads pass as they come.
 */
export class PingFilter {
  #line: Buffer = Buffer.alloc(0)
  /** Bytes of a payload and its CRLF that are still to come. */
  #payload = 0

  /** The line that has not ended. */
  get rest(): Buffer {
    return this.#line
  }

  /** What is left of these bytes, and how many PINGs were taken out. */
  feed(chunk: Buffer): { bytes: Buffer; pings: number } {
    const input = this.#line.length === 0 ? chunk : Buffer.concat([this.#line, chunk])
    const kept: Buffer[] = []
    let pings = 0
    let at = 0
    while (at < input.length) {
      let end = at + this.#payload
      if (this.#payload === 0) {
        end = input.indexOf('\n', at) + 1
        if (end === 0) break
        const line = input.toString('latin1', at, end)
        if (line === 'PING\r\n') {
          pings++
          at = end
          continue
        }
        const size = /^H?MSG .* (\d+)\r\n$/.exec(line)?.[1]
        if (size !== undefined) this.#payload = Number(size) + 2
      } else {
        end = Math.min(end, input.length)
        this.#payload -= end - at
      }
      kept.push(input.subarray(at, end))
      at = end
    }
    this.#line = input.subarray(at)
    return { bytes: Buffer.concat(kept), pings }
  }

  /** The connection has ended: the line that will not. */
  end(): Buffer {
    const line = this.#line
    this.#line = Buffer.alloc(0)
    return line
  }
}
