// Load process: a service that answers each request with the same payload, all requests of a chunk with one write.
import { type Command, fail, report, serve } from './commands.ts'
import { type LoadConnection, openConnection } from './connection.ts'

const LF = 10
const SPACE = 32
const CR = 13
const H = 72
const M = 77

let connection: LoadConnection | null = null

serve(async (command: Command) => {
  if (command.do === 'respond') {
    connection = await openConnection(command.at, `SUB ${command.subject} 1\r\n`)
    connection.onGone = fail
    answer(connection, command.size)
    report({ is: 'ready' })
  } else if (command.do === 'close') {
    connection?.close()
    report({ is: 'closed' })
  }
})

/** `MSG subject sid reply size` or `HMSG subject sid reply header-size size`: the reply and the size are all that is read. */
function answer(one: LoadConnection, size: number): void {
  const ending = Buffer.from(` ${size}\r\n${'x'.repeat(size)}\r\n`)
  let out = Buffer.allocUnsafe(64 * 1024)
  let length = 0
  let rest: Buffer | null = null
  one.onChunk = (shared, filled) => {
    const bytes = rest === null ? shared : Buffer.concat([rest, shared.subarray(0, filled)])
    const end = rest === null ? filled : bytes.length
    rest = null
    length = 0
    let at = 0
    while (at < end) {
      let line = at
      while (line < end && bytes[line] !== LF) line++
      if (line === end) break
      const first = bytes[at]
      if (first !== M && first !== H) {
        const text = bytes.toString('latin1', at, line - 1)
        if (text === 'PING') one.say('PONG\r\n')
        else if (text !== 'PONG' && !text.startsWith('INFO')) return fail(`the server sent ${text}`)
        at = line + 1
        continue
      }
      // The third blank ends the sid; reply until the next one; the last number is the size.
      let position = at
      for (let blanks = 0; blanks < 3; position++) if (bytes[position] === SPACE) blanks++
      const reply = position
      while (bytes[position] !== SPACE && bytes[position] !== CR) position++
      const replyEnd = position
      let total = 0
      for (position++; position < line - 1; position++) {
        const byte = bytes[position]!
        total = byte === SPACE ? 0 : total * 10 + byte - 48
      }
      const next = line + 1 + total + 2
      if (next > end) break
      if (bytes[replyEnd] === CR) return fail('a request without reply subject came')
      if (length + replyEnd - reply + ending.length + 8 > out.length) out = Buffer.concat([out, out])
      length += out.write('PUB ', length, 'latin1')
      for (let i = reply; i < replyEnd; i++) out[length++] = bytes[i]!
      length += ending.copy(out, length)
      at = next
    }
    if (at < end) rest = Buffer.from(bytes.subarray(at, end))
    if (length > 0) one.write(one.wrap(Buffer.from(out.subarray(0, length))))
  }
}
