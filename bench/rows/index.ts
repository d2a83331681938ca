// All rows, in the order of the table in docs/performance.md.
import type { Row } from '../lib/row.ts'
import { fanOut } from './fan-out.ts'
import { oneToOne, payloads } from './one-to-one.ts'
import { publish } from './publish.ts'
import { wide } from './wide.ts'

export const rows: readonly Row[] = [publish, oneToOne, ...fanOut, ...payloads, ...wide]
