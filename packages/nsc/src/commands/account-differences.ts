import type { AccountClaims } from '@ngs/identity/node'
import { RemoteText, Report } from '../report.ts'
import { formatDate, type Int64 } from '../values.ts'

/** What the operator's server changed in the account, such as limits of a plan; null when nothing. */
export function accountDifferences(sent: AccountClaims, stored: AccountClaims): Report | null {
  const report = new Report('account server modifications')
  const compare = (line: string, before: string, after: string) => {
    if (before !== after) report.add(new RemoteText(`${line} changed from ${before} to ${after}`))
  }
  const date = (seconds: Int64 | undefined) => formatDate(seconds) || 'always'
  const limit = (value: Int64) => (Number(value) === -1 ? 'unlimited' : String(value))
  compare('jwt start', date(sent.nbf), date(stored.nbf))
  const [a, b] = [sent.nats.limits, stored.nats.limits]
  compare('max subscriptions', limit(a.subs), limit(b.subs))
  compare('max connections', limit(a.conn), limit(b.conn))
  compare('max leaf node connections', limit(a.leaf), limit(b.leaf))
  compare('max imports', limit(a.imports), limit(b.imports))
  compare('max exports', limit(a.exports), limit(b.exports))
  compare('max data', limit(a.data), limit(b.data))
  compare('max message payload', limit(a.payload), limit(b.payload))
  compare('allow wildcard exports', String(a.wildcards), String(b.wildcards))
  return report.details.length > 0 ? report : null
}
