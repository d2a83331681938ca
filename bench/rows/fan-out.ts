import { streamRow } from '../lib/stream.ts'

const target = { rate: 1.5, cpu: 0.6 }

export const fanOut = [
  streamRow('1-5', 'fan-out 1 to 5, 16 B', { publishers: 1, subscribers: 5, size: 16 }, target),
  streamRow('3-5', 'fan-out 3 to 5, 16 B', { publishers: 3, subscribers: 5, size: 16 }, target),
]
