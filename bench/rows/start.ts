import { setTimeout as sleep } from 'node:timers/promises'
import { measureCpu } from '../lib/engine.ts'
import type { Row } from '../lib/row.ts'

/** Long enough for whatever a server puts off at its start. */
const SETTLE_MS = 500

export const start: Row = {
  name: 'start',
  title: 'start until ready, and memory of a server that does nothing',
  metrics: [
    { key: 'ready', label: 'ready ms', better: 'lower', limit: 300 },
    { key: 'cpu', label: 'CPU', better: 'lower' },
    { key: 'memory', label: 'RSS MB', better: 'lower' },
  ],
  workUnit: 'start',
  warmUp: 1,
  amount: 1,
  fresh: true,
  prepare: () => ({
    async run(server) {
      const used = measureCpu(server)
      await sleep(SETTLE_MS)
      return {
        amount: 1,
        seconds: SETTLE_MS / 1000,
        work: 1,
        serverCpu: server.cpu(),
        machineCpu: used().machine,
        loadCpu: 0,
        values: { ready: server.readyMs },
      }
    },
    close: async () => {},
  }),
}
