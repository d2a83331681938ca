// /subsz: subscriptions of all accounts or one.
import type { Server } from '../server.ts'
import { Matcher } from '../subject/matcher.ts'
import { isLiteral, toWire } from '../subject/subject.ts'
import { QueryError, subscription } from './connz.ts'

export interface SubszQuery {
  subs: boolean
  test: string
  acc: string
  offset: number
  limit: number
}

/** @throws QueryError when `test` is no literal subject. */
export function subsz(server: Server, query: SubszQuery): Record<string, unknown> {
  if (query.test !== '' && !isLiteral(query.test)) {
    throw new QueryError(`invalid test subject, must be valid publish subject: ${query.test}`)
  }
  let count = 0
  const list: Record<string, unknown>[] = []
  for (const account of server.accounts.all()) {
    if (query.acc !== '' && account.name !== query.acc) continue
    count += account.index.size
    if (!query.subs) continue
    for (const item of account.index.all()) {
      if (item.client === null) continue
      if (query.test !== '') {
        const one = new Matcher<true>()
        one.insert(item.subject, true)
        if (!one.matches(toWire(query.test))) continue
      }
      list.push({ account: account.name, ...subscription(item) })
    }
  }
  const page = list.slice(query.offset, query.offset + query.limit)
  return {
    server_id: server.id,
    now: new Date().toISOString(),
    num_subscriptions: count,
    num_cache: 0,
    num_inserts: 0,
    num_removes: 0,
    num_matches: 0,
    cache_hit_rate: 0,
    max_fanout: 0,
    avg_fanout: 0,
    total: query.subs ? list.length : 0,
    offset: query.offset,
    limit: query.limit,
    ...(query.subs ? { subscriptions_list: page } : {}),
  }
}
