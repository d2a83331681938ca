import { wideRow } from '../lib/wide.ts'

const target = { latency: 0.8, cpu: 0.7 }

export const wide = [wideRow('1-500', 500, target), wideRow('1-1000', 1000, target)]
