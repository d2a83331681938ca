import { requestRow } from '../lib/requests.ts'

const target = { rate: 1.5, latency: 1 }

export const requests = [
  requestRow('request-1', 'request/reply, 1 outstanding, 16 B', { outstanding: 1, size: 16 }, target),
  requestRow('request-50', 'request/reply, 50 outstanding, 16 B', { outstanding: 50, size: 16 }, target),
]
