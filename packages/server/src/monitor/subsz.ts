// /subsz: the subject indexes of all accounts or of one, and what is in them.
import type { Account } from '../account/account.ts'
import type { Subscription } from '../account/subscription.ts'
import { subscriptionSnapshot } from '../connection/snapshot.ts'
import type { Server } from '../server.ts'
import { isLiteral, toWire } from '../subject/subject.ts'
import { utc } from '../time.ts'
import { DEFAULT_LIMIT, subscriptionDetail } from './connz.ts'
import { listed } from './json.ts'
import { QueryError } from './query.ts'

export interface SubszOptions {
  subscriptions: boolean
  offset: number
  /** 0 or less: the default. */
  limit: number
  /** Empty for all. */
  account: string
  /** A literal subject: only subscriptions that a message on it would reach. Empty for all. */
  test: string
}

export interface IndexStats {
  num_subscriptions: number
  num_cache: number
  num_inserts: number
  num_removes: number
  num_matches: number
  cache_hit_rate: number
  max_fanout: number
  avg_fanout: number
}

/** Of several accounts together. */
export function indexStats(accounts: Iterable<Account>): IndexStats {
  const sum = { subscriptions: 0, kept: 0, inserts: 0, matches: 0, hits: 0, fanout: 0, widest: 0 }
  for (const account of accounts) {
    sum.subscriptions += account.index.size
    sum.inserts += account.index.inserts
    sum.matches += account.matches
    sum.hits += account.cacheHits
    for (const { plain, groups } of account.keptResults()) {
      const fanout = plain.length + groups.length
      sum.kept++
      sum.fanout += fanout
      sum.widest = Math.max(sum.widest, fanout)
    }
  }
  return {
    num_subscriptions: sum.subscriptions,
    num_cache: sum.kept,
    num_inserts: sum.inserts,
    num_removes: sum.inserts - sum.subscriptions,
    num_matches: sum.matches,
    cache_hit_rate: sum.matches === 0 ? 0 : sum.hits / sum.matches,
    max_fanout: sum.widest,
    avg_fanout: sum.kept === 0 ? 0 : sum.fanout / sum.kept,
  }
}

/** @throws QueryError when `test` is no literal subject. */
export function subsz(server: Server, options: SubszOptions): Record<string, unknown> {
  const { test, subscriptions } = options
  if (test !== '' && !isLiteral(test))
    throw new QueryError(`invalid test subject, must be valid publish subject: ${test}`)
  const offset = Math.max(options.offset, 0)
  const limit = options.limit > 0 ? options.limit : DEFAULT_LIMIT
  const accounts = [...server.accounts.all()].filter(
    ({ name }) => options.account === '' || name === options.account,
  )
  const page: unknown[] = []
  let total = 0
  const take = (account: Account, items: Iterable<Subscription>): void => {
    for (const item of items) {
      if (total >= offset && page.length < limit)
        page.push(subscriptionDetail(subscriptionSnapshot(item, account), true))
      total++
    }
  }
  if (subscriptions) {
    for (const account of accounts) {
      if (test === '') take(account, account.index.all())
      else {
        const found: Subscription[] = []
        account.index.match(toWire(test), found)
        take(account, found)
      }
    }
  }
  return {
    server_id: server.id,
    now: utc(),
    ...indexStats(accounts),
    total,
    offset,
    limit,
    subscriptions_list: listed(page),
  }
}
