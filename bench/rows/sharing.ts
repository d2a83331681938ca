// Across accounts: what an import costs.
import { requestRow } from '../lib/requests.ts'
import { streamRow } from '../lib/stream.ts'

const config = `
accounts {
  A {
    users: [{ user: a, password: a }]
    exports: [{ stream: "bench.>" }, { service: "bench.service" }]
  }
  B {
    users: [{ user: b, password: b }]
    imports: [
      { stream: { account: A, subject: "bench.>" } }
      { service: { account: A, subject: "bench.service" } }
    ]
  }
}
`

export const sharing = [
  streamRow(
    'import-stream',
    'stream import, 1 to 1 across accounts, 16 B',
    { publishers: 1, subscribers: 1, size: 16, users: { publisher: 'a', subscriber: 'b' } },
    { rate: 1.5 },
    { config },
  ),
  requestRow(
    'import-service',
    'service import, requests across accounts, 50 outstanding, 16 B',
    { outstanding: 50, size: 16, users: { requester: 'b', responder: 'a' } },
    { rate: 1.5 },
    { config },
  ),
]
