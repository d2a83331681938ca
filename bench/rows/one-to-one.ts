import { streamRow } from '../lib/stream.ts'

const pair = { publishers: 1, subscribers: 1 }

export const oneToOne = streamRow(
  '1-1',
  '1 publisher to 1 subscriber, 16 B',
  { ...pair, size: 16 },
  { rate: 2, cpu: 0.5 },
)

export const payloads = [
  streamRow('1-1-128', '1 to 1, 128 B', { ...pair, size: 128 }, { rate: 1.5 }),
  streamRow('1-1-1k', '1 to 1, 1 KB', { ...pair, size: 1024 }, { rate: 1.2 }),
  streamRow('1-1-64k', '1 to 1, 64 KB', { ...pair, size: 65536 }, { rate: 1 }),
]
