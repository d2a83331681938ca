import { streamRow } from '../lib/stream.ts'

export const publish = streamRow(
  'publish',
  'publish, no subscriber, 16 B',
  { publishers: 1, subscribers: 0, size: 16 },
  { rate: 2, cpu: 0.5 },
)
