// The byte patterns of a run: what a publisher sends for one message and what a subscriber gets for it. Every message
// of a run is the same, so both streams are periodic, and comparing a chunk with the pattern proves each byte of it.

/** `PUB subject size\r\n` + payload + `\r\n`. */
export function publishFrame(subject: string, size: number): Buffer {
  return Buffer.concat([Buffer.from(`PUB ${subject} ${size}\r\n`), payload(size)])
}

/** `MSG subject sid size\r\n` + payload + `\r\n`, as the server must deliver it. */
export function deliveryFrame(subject: string, sid: number, size: number): Buffer {
  return Buffer.concat([Buffer.from(`MSG ${subject} ${sid} ${size}\r\n`), payload(size)])
}

function payload(size: number): Buffer {
  return Buffer.from(`${'x'.repeat(size)}\r\n`)
}

/** As many whole frames in one buffer as `bytes` holds, at least one. */
export function repeatFrame(frame: Buffer, bytes: number): Buffer {
  return Buffer.alloc(Math.max(1, Math.floor(bytes / frame.length)) * frame.length, frame)
}
