// What connections cost: to let them in, and to keep them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { measureCpu } from '../lib/engine.ts'
import { LoadProcess } from '../lib/load-process.ts'
import { operatorConfig } from '../lib/operator.ts'
import { cpuMetric, memoryMetric, type Row } from '../lib/row.ts'

const STORM = 1000
const IDLE = 10_000

const folder = mkdtempSync(join(tmpdir(), 'ngs-bench-users-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const users = join(folder, 'users.json')

const connectRow: Row = {
  name: 'connect-jwt',
  title: `${STORM} connections with credentials (JWT and signed nonce)`,
  metrics: [{ key: 'rate', label: 'connects/s', better: 'higher', target: 1 }, cpuMetric(), memoryMetric],
  workUnit: 'connect',
  config: () => operatorConfig(10, STORM, users),
  warmUp: STORM,
  amount: STORM,
  ceiling: false,
  prepare: () => connections(users),
}

const idleRow: Row = {
  name: 'idle-10k',
  title: `${IDLE} idle connections`,
  metrics: [{ key: 'each', label: 'KB/connection', better: 'lower', target: 0.5 }, memoryMetric, cpuMetric()],
  workUnit: 'connect',
  warmUp: IDLE,
  amount: IDLE,
  fresh: true,
  mostRuns: 3,
  prepare: () => connections(),
}

/** A run that opens connections and closes them again; `each` is the memory that each one took. */
function connections(file?: string): ReturnType<Row['prepare']> {
  const load = new LoadProcess('storm')
  return {
    async run(server, amount) {
      const before = server.memory()
      const used = measureCpu(server)
      const done = await load.ask(
        {
          do: 'connect',
          at: { port: server.port, ...(file === undefined ? {} : { users: file }) },
          connections: amount,
          subscribe: file === undefined,
        },
        'connected',
      )
      const cpu = used()
      server.assertAlive()
      const memory = server.memory()
      await load.ask({ do: 'close' }, 'closed')
      const seconds = (done.end - done.start) / 1e9
      return {
        amount,
        seconds,
        work: amount,
        serverCpu: cpu.server,
        machineCpu: cpu.machine,
        loadCpu: done.cpu,
        values: {
          rate: amount / seconds,
          each: (memory - before) / 1024 / amount,
          memory: memory / 2 ** 20,
        },
      }
    },
    close: () => load.stop(),
  }
}

export const connecting = [connectRow, idleRow]
