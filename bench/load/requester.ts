// Load process: requests to a service, each with a reply subject of its own as clients make them, and their round trips.
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnection } from './connection.ts'

const P = 80
const M = 77
/** Digits of a place and of the number of a request in it. */
const PLACE = 4
const NUMBER = 8
const PLACES = 10_000
const INBOX = '_INBOX.ngsbenchngsbenchngsben.'

let connection: LoadConnection | null = null
let request = Buffer.alloc(0)
let tokenAt = 0
let responseLength = 0
const responseTokenAt = `MSG ${INBOX}`.length

serve(async (command: Command) => {
  if (command.do === 'request-ready') {
    const { size } = command
    connection = await openConnection(command.at, `SUB ${INBOX}* 1\r\n`)
    connection.onGone = fail
    const token = '0'.repeat(PLACE + NUMBER)
    const head = `PUB ${command.subject} ${INBOX}`
    tokenAt = head.length
    request = Buffer.from(`${head}${token} ${size}\r\n${'x'.repeat(size)}\r\n`)
    responseLength = `MSG ${INBOX}${token} 1 ${size}\r\n\r\n`.length + size
    report({ is: 'ready' })
  } else if (command.do === 'request') await run(command)
  else if (command.do === 'close') {
    connection?.close()
    report({ is: 'closed' })
  }
})

function write(bytes: Buffer, at: number, width: number, number: number): void {
  let value = number
  for (let i = at + width - 1; i >= at; i--) {
    bytes[i] = 48 + (value % 10)
    value = Math.floor(value / 10)
  }
}

function read(bytes: Buffer, at: number, width: number): number {
  let value = 0
  for (let i = at; i < at + width; i++) value = value * 10 + bytes[i]! - 48
  return value
}

function run({ requests, outstanding, rate }: Command & { do: 'request' }): Promise<void> {
  const one = connection!
  const latencies = new Float64Array(requests)
  const began = new Float64Array(PLACES)
  /** The number of the request in each place, 0 for a free one. */
  const numbers = new Int32Array(PLACES)
  const free = Array.from({ length: rate === undefined ? outstanding : PLACES }, (_, i) => i)
  let sent = 0
  let done = 0
  let behind = 0
  const out = Buffer.alloc(request.length * 64, request)
  let waiting = 0
  const flush = (): void => {
    if (waiting > 0) one.write(one.wrap(Buffer.from(out.subarray(0, waiting * request.length))))
    waiting = 0
  }
  const send = (at: number): void => {
    const place = free.pop()!
    numbers[place] = ++sent
    began[place] = at
    const token = waiting * request.length + tokenAt
    write(out, token, PLACE, place)
    write(out, token + PLACE, NUMBER, sent)
    if (++waiting === 64) flush()
  }
  return new Promise<void>((resolve) => {
    const cpu = cpuTime()
    const start = now()
    let timer: NodeJS.Timeout | null = null
    const finish = (): void => {
      if (timer !== null) clearInterval(timer)
      const list = [...latencies]
      report({ is: 'requested', start, end: now(), latencies: list, cpu: cpuTime() - cpu, behind })
      resolve()
    }
    let rest: Buffer | null = null
    one.onChunk = (shared, filled) => {
      const bytes = rest === null ? shared : Buffer.concat([rest, shared.subarray(0, filled)])
      const end = rest === null ? filled : bytes.length
      rest = null
      const time = performance.now()
      let at = 0
      while (at < end) {
        if (bytes[at] === M) {
          if (at + responseLength > end) break
          const place = read(bytes, at + responseTokenAt, PLACE)
          const number = read(bytes, at + responseTokenAt + PLACE, NUMBER)
          if (numbers[place] !== number)
            return fail(`a response came that nobody waits for: ${place}/${number}`)
          numbers[place] = 0
          free.push(place)
          latencies[done++] = (time - began[place]!) * 1000
          at += responseLength
          if (rate === undefined && sent < requests) send(time)
          continue
        }
        const line = bytes.indexOf(10, at)
        if (line < 0 || line >= end) break
        if (bytes[at] === P) one.say('PONG\r\n')
        else return fail(`the server sent ${JSON.stringify(bytes.toString('latin1', at, line))}`)
        at = line + 1
      }
      if (at < end) rest = Buffer.from(bytes.subarray(at, end))
      flush()
      if (done === requests) finish()
    }
    if (rate === undefined) {
      const time = performance.now()
      while (sent < requests && free.length > 0) send(time)
      flush()
      return
    }
    const base = performance.now()
    timer = setInterval(() => {
      const time = performance.now()
      const due = Math.min(requests, Math.floor(((time - base) / 1000) * rate))
      while (sent < due && free.length > 0) send(time)
      behind = Math.max(behind, due - sent)
      flush()
    }, 1)
  })
}
