// Load process: very many connections, as fast as they are let in, that then do nothing.
import { readFileSync } from 'node:fs'
import { encodeBase64Url, type KeyPair, keyPairFromSeed } from '@ngs/identity/node'
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnection } from './connection.ts'
import { FrameCounter } from './verifier.ts'

/** An element of the credentials file. */
export interface StormUser {
  readonly jwt: string
  readonly seed: string
}

/** Connections that are under way at the same time. */
const AT_ONCE = 50

let open: LoadConnection[] = []

serve(async (command: Command) => {
  if (command.do === 'connect') await connect(command)
  else if (command.do === 'close') {
    for (const connection of open) connection.close()
    open = []
    report({ is: 'closed' })
  }
})

async function connect(command: Command & { do: 'connect' }): Promise<void> {
  const users = command.file === undefined ? [] : load(command.file)
  const cpu = cpuTime()
  const start = now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < command.connections) {
      const index = next++
      const user = users[index % Math.max(1, users.length)]
      const connection = await openConnection(
        command.at,
        command.subscribe === true ? `SUB idle.${index} 1\r\n` : '',
        user === undefined
          ? undefined
          : ({ nonce = '' }) => ({
              jwt: user.jwt,
              sig: encodeBase64Url(user.key.sign(Buffer.from(nonce))),
            }),
      )
      connection.onGone = (reason) => fail(`connection ${index}: ${reason}`)
      const counter = new FrameCounter(1)
      counter.onPing = () => connection.say('PONG\r\n')
      connection.onChunk = (chunk, length) => counter.feed(chunk, length)
      open.push(connection)
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, command.connections) }, lane))
  report({ is: 'connected', start, end: now(), cpu: cpuTime() - cpu })
}

function load(file: string): { jwt: string; key: KeyPair }[] {
  const users = JSON.parse(readFileSync(file, 'utf8')) as StormUser[]
  return users.map(({ jwt, seed }) => ({ jwt, key: keyPairFromSeed(seed) }))
}
