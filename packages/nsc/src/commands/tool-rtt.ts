import type { Call } from '../cli/spec.ts'
import { formatDuration, toInt64 } from '../values.ts'
import { withConnection } from './tool-shared.ts'

export async function run(call: Call): Promise<undefined> {
  await withConnection(call, 'nsc_rtt', async (connection) => {
    const start = process.hrtime.bigint()
    await connection.flush()
    const elapsed = process.hrtime.bigint() - start
    const server = connection.getServer()
    const url = server.includes('://') ? server : `nats://${server}`
    call.session.print(`round trip time to [${url}] = ${formatDuration(toInt64(elapsed))}`)
  })
}
