// Load process: very many connections, as fast as they are let in, that then do nothing.
import { type Command, cpuTime, fail, now, report, serve } from './commands.ts'
import { type LoadConnection, openConnection } from './connection.ts'
import { loadUsers } from './users.ts'
import { FrameCounter } from './verifier.ts'

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
  const users = command.at.users === undefined ? [] : loadUsers(command.at.users)
  const cpu = cpuTime()
  const start = now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < command.connections) {
      const index = next++
      const connection = await openConnection(
        command.at,
        command.subscribe === true ? `SUB idle.${index} 1\r\n` : '',
        users[index % Math.max(1, users.length)],
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
