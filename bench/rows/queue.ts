import { streamRow } from '../lib/stream.ts'

export const queue = streamRow(
  'queue-10',
  'queue group of 10, 16 B',
  { publishers: 1, subscribers: 10, size: 16, queue: true },
  { rate: 1.5 },
)
