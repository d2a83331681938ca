import { type Claims, decode, decodeAccount, isAccount, isOperator, undecorateJwt } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { getToken, isResolverUrl, type PulledToken, serverPath } from '../remote/account-server.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { withLock } from '../store/lock.ts'
import type { OperatorStore } from '../store/operator-store.ts'
import { quote } from '../text.ts'

export async function run(call: Call): Promise<Report> {
  const { session, flags } = call
  const store = session.store()
  const name = session.selectAccount(flags.text('account'))
  const all = flags.switch('all')
  if (!all && name === '') throw failure('specify --all or --account')
  const operator = store.operator()
  const server = operator.nats.account_server_url ?? ''
  const operatorName = operator.name ?? ''
  if (server === '')
    throw failure(`operator ${quote(operatorName)} doesn't set account server url - unable to pull`)
  const overResolver = isResolverUrl(server)
  if (overResolver && !all)
    throw failure(`operator ${quote(operatorName)} can only pull all jwt - unable to pull by account`)
  const overwrite = flags.switch('overwrite-newer')
  const report = Report.list({ summarizes: true })
  if (overResolver) {
    await pullFromServers(call, store, server, overwrite, report)
    return report
  }
  call.begin()
  const { env } = session.io
  const accounts = (all ? store.accountNames() : [name]).map((account) => store.account(account))
  const jobs: { name: string; publicKey: string; work: Promise<PulledToken> }[] = []
  if (all) jobs.push({ name: operatorName, publicKey: '', work: getOperator(session, server) })
  for (const account of accounts)
    jobs.push({
      name: account.name ?? '',
      publicKey: account.sub,
      work: getToken(env, serverPath(server, 'accounts', account.sub)),
    })
  const results = await Promise.allSettled(jobs.map(({ work }) => work))
  await withLock(store.dir, () => {
    for (const [index, job] of jobs.entries()) {
      const line = new Report(`pull ${quote(job.name)} from the account server`, {
        level: 'ok',
        shows: 'details-if-notable',
      })
      line.with(
        job.publicKey === '' ? { operator: job.name } : { account: job.name, public_key: job.publicKey },
      )
      report.add(line)
      const result = results[index] as PromiseSettledResult<PulledToken>
      if (result.status === 'rejected') {
        line.error(textOf(result.reason))
        continue
      }
      line.add(...result.value.report.details)
      if (result.value.report.level !== 'ok') continue
      storePulled(store, result.value.body, overwrite, line)
    }
  })
  return report
}

/** Services of the second generation have the operator's newer token at v2; others only at v1. */
async function getOperator({ io }: Session, server: string): Promise<PulledToken> {
  const url = serverPath(server, 'operator')
  const newer = url.replace('/jwt/v1/operator', '/jwt/v2/operator')
  if (newer !== url) {
    try {
      return await getToken(io.env, newer)
    } catch {
      // Falls back to v1.
    }
  }
  return getToken(io.env, url)
}

/** Stores a token of the server unless the one here is newer. */
function storePulled(store: OperatorStore, body: string, overwrite: boolean, line: Report): void {
  let claims: Claims
  let token: string
  try {
    token = undecorateJwt(body).trim()
    claims = decode(token)
  } catch (thrown) {
    line.error(`error decoding remote token: ${textOf(thrown)} ${body}`)
    return
  }
  const name = claims.name ?? ''
  if (!isOperator(claims) && !isAccount(claims)) {
    line.error(`error storing ${quote(name)}: unsupported token type: ${quote(claims.nats.type ?? '')}`)
    return
  }
  if (issuedHere(store, claims) > Number(claims.iat) && !overwrite) {
    line.error(
      `local jwt for ${quote(name)} is newer than remote version - specify --overwrite-newer to overwrite`,
    )
    return
  }
  try {
    store.write(token)
  } catch (thrown) {
    line.error(`error storing ${quote(name)}: ${textOf(thrown)}`)
    return
  }
  const facts = isOperator(claims) ? { operator: name } : { account: name }
  line.add(
    Report.line('ok', `stored ${claims.nats.type} ${quote(name)}`).with({ ...facts, public_key: claims.sub }),
  )
  if (line.level === 'ok') line.label = `pulled ${quote(name)} from the account server`
}

/** When the token here that the pulled one would replace was issued; 0 when there is none. */
function issuedHere(store: OperatorStore, claims: Claims): number {
  try {
    if (isOperator(claims)) return Number(store.operator().iat)
    return Number(store.account(claims.name ?? '').iat)
  } catch {
    return 0
  }
}

async function pullFromServers(
  { session, flags }: Call,
  store: OperatorStore,
  server: string,
  overwrite: boolean,
  report: Report,
): Promise<void> {
  const resolver = await import('../remote/resolver.ts')
  const { connectTo } = await import('../remote/nats.ts')
  const { createInbox } = await import('@nats-io/nats-core')
  const line = new Report('pull from cluster using system account', { level: 'ok' })
  report.add(line)
  const inbox = createInbox()
  let user: ReturnType<typeof resolver.systemUser>
  try {
    const wanted = { account: flags.text('system-account'), user: flags.text('system-user') }
    user = resolver.systemUser(session, store, wanted, {
      publish: ['$SYS.REQ.CLAIMS.PACK'],
      subscribe: inbox,
    })
  } catch (thrown) {
    line.error(`failed to obtain system user: ${textOf(thrown)}`)
    return
  }
  let connection: Awaited<ReturnType<typeof connectTo>>
  try {
    const { authenticator } = user
    connection = await connectTo(session, flags, { name: 'nsc_pull', urls: [server], authenticator })
  } catch (thrown) {
    line.error(`failed to connect to ${server}: ${textOf(thrown)}`)
    return
  }
  const tokens: string[] = []
  try {
    await resolver.packFromServers(connection, inbox, line, (token) => tokens.push(token))
  } finally {
    await connection.close()
  }
  await withLock(store.dir, () => {
    for (const token of tokens) {
      // Servers may hold accounts of other operators' making: only account tokens belong here.
      decodeAccount(token)
      storePulled(store, token, overwrite, line)
    }
  })
}
