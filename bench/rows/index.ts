// All rows, in the order of the table in docs/performance.md.
import type { Row } from '../lib/row.ts'
import { connecting } from './connections.ts'
import { fanOut } from './fan-out.ts'
import { million } from './million.ts'
import { official } from './official.ts'
import { oneToOne, payloads } from './one-to-one.ts'
import { publish } from './publish.ts'
import { queue } from './queue.ts'
import { requests } from './requests.ts'
import { sharing } from './sharing.ts'
import { start } from './start.ts'
import { steady, tail } from './tail.ts'
import { transports } from './transports.ts'
import { wide } from './wide.ts'

export const rows: readonly Row[] = [
  publish,
  oneToOne,
  ...fanOut,
  ...payloads,
  ...wide,
  ...requests,
  queue,
  ...million,
  ...sharing,
  ...connecting,
  ...transports,
  start,
  tail,
  ...official,
  steady,
]
