import { type ClaimsBase, decodeUser, undecorateJwt } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { exists, readText } from '../files.ts'
import { goJson } from '../json.ts'
import type { Session } from '../session.ts'
import { Table } from '../table.ts'
import { titleCase } from '../text.ts'
import { formatLocalDate, parseDate, relativeDate } from '../values.ts'

/** One line of the report, fields in the order of the JSON. */
interface Expiration {
  resource: string
  id: string
  when: string
  expiry: number
  expiration_date: string
  expires_soon: boolean
  expired: boolean
}

export function run({ session, flags }: Call): undefined {
  const threshold = parseDate(flags.text('within'))
  const lines = collect(session, threshold).filter(
    ({ expired, expires_soon }) => !flags.switch('skip') || expired || expires_soon,
  )
  if (flags.switch('json')) {
    const report = {
      expiration_threshold: formatLocalDate(threshold),
      report: lines.length > 0 || !flags.switch('skip') ? lines : null,
    }
    session.print(goJson(report, { indent: 2 }))
    return
  }
  const table = new Table(`Expiration Report (${titleCase(relativeDate(threshold))})`, [
    'Expired',
    'Resource',
    'Expiration',
  ])
  for (const { expired, expires_soon, resource, expiry, when } of lines)
    table.row(
      expired ? 'Yes' : expires_soon ? 'Soon' : 'No',
      resource,
      `${formatLocalDate(expiry)} - ${when}`,
    )
  session.note(table.render())
}

/** The operator, each account with its users, and behind each user its creds file, which may be older. */
function collect(session: Session, threshold: number): Expiration[] {
  const now = Math.floor(Date.now() / 1000)
  const store = session.store()
  const lines: Expiration[] = []
  const add = (resource: string, { sub, exp = 0 }: ClaimsBase) => {
    const expiry = Number(exp)
    lines.push({
      resource,
      id: sub,
      when: expiry > 0 ? titleCase(relativeDate(expiry)) : 'Never',
      expiry,
      expiration_date: expiry > 0 ? formatLocalDate(expiry) : '',
      expires_soon: expiry !== 0 && threshold > 0 && threshold > expiry,
      expired: expiry !== 0 && now > expiry,
    })
  }
  const operator = store.operator()
  add(operator.name ?? '', operator)
  for (const accountName of store.accountNames()) {
    const account = store.account(accountName)
    const place = `${operator.name}/${account.name}`
    add(place, account)
    for (const userName of store.userNames(accountName)) {
      const user = store.user(accountName, userName)
      add(`${place}/${user.name}`, user)
      const creds = session.keystore.credsPath(store.name, account.name ?? '', user.name ?? '')
      if (exists(creds)) add(creds, decodeUser(undecorateJwt(readText(creds)).trim()))
    }
  }
  return lines
}
