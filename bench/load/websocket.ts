// The least of WebSocket that a load generator needs: binary messages of our own with a mask of zeros, which leaves the
// payload as it is, and the payload of what a server sends, in place.

export function upgradeRequest(port: number): string {
  return [
    'GET / HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Version: 13',
    '\r\n',
  ].join('\r\n')
}

/** One masked binary message. */
export function wrapBinary(bytes: Buffer): Buffer {
  const { length } = bytes
  const extended = length < 126 ? 0 : length < 65536 ? 2 : 8
  const frame = Buffer.alloc(2 + extended + 4 + length)
  frame[0] = 0x82
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127)
  if (extended === 2) frame.writeUInt16BE(length, 2)
  else if (extended === 8) frame.writeBigUInt64BE(BigInt(length), 2)
  bytes.copy(frame, 2 + extended + 4)
  return frame
}

/** Takes what a server sends, its answer to the upgrade first, and hands on the payload of its frames piece by piece. */
export class WebSocketReader {
  readonly #take: (chunk: Buffer, from: number, to: number) => void
  #upgraded = false
  #text = ''
  /** Payload of the current frame still to come. */
  #left = 0
  /** Bytes of a frame's head that has begun. */
  readonly #head: number[] = []

  constructor(take: (chunk: Buffer, from: number, to: number) => void) {
    this.#take = take
  }

  feed(chunk: Buffer, length: number): void {
    let at = 0
    if (!this.#upgraded) {
      const before = this.#text.length
      this.#text += chunk.toString('latin1', 0, length)
      const end = this.#text.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!this.#text.startsWith('HTTP/1.1 101')) throw new Error(`no WebSocket: ${this.#text.slice(0, 60)}`)
      this.#upgraded = true
      at = end + 4 - before
    }
    while (at < length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, length - at)
        this.#left -= taken
        this.#take(chunk, at, at + taken)
        at += taken
        continue
      }
      this.#head.push(chunk[at++]!)
      const short = this.#head[1]
      if (short === undefined) continue
      const needed = short < 126 ? 2 : short === 126 ? 4 : 10
      if (this.#head.length < needed) continue
      this.#left = short < 126 ? short : this.#head.slice(2).reduce((sum, byte) => sum * 256 + byte, 0)
      this.#head.length = 0
    }
  }
}
