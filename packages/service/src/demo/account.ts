// The account behind the demonstration services, and the imports of them that every account gets.
import {
  type AccountClaims,
  type Import,
  newAccountClaims,
  newUserClaims,
  subjectsOverlap,
  type UserClaims,
} from '@ngs/identity/node'

export const echoSubject = 'ngs.echo'
export const usageSubject = 'ngs.usage'
export const activeSubject = 'ngs.active'

/** Position, from 1, of the importing account's key in the exported usage subject `ngs.usage.ACCOUNT`. */
const usageAccountPosition = 3

export function demoAccountClaims(account: string): AccountClaims {
  const claims = newAccountClaims(account, 'ngs demo services')
  claims.nats.exports = [
    {
      name: activeSubject,
      subject: activeSubject,
      type: 'stream',
      description: 'A message per message server every few seconds',
    },
    { name: echoSubject, subject: echoSubject, type: 'service', description: 'Answers what it is sent' },
    {
      name: usageSubject,
      subject: `${usageSubject}.*`,
      type: 'service',
      account_token_position: usageAccountPosition,
      description: 'Answers the usage and limits of the account that asks',
    },
  ]
  return claims
}

/** The user that answers: it may do nothing else. */
export function demoUserClaims(user: string): UserClaims {
  const claims = newUserClaims(user, 'ngs demo services')
  claims.nats.sub = { allow: [`${usageSubject}.*`, echoSubject] }
  claims.nats.pub = { allow: [activeSubject] }
  // One answer, within the time a request may take.
  claims.nats.resp = { max: 1, ttl: 30_000_000_000 }
  return claims
}

/** The demonstration imports of one account, in the order of their subjects. */
export function demoImports(demoAccount: string, importer: string): Import[] {
  const from = { account: demoAccount }
  return [
    { name: activeSubject, subject: activeSubject, ...from, local_subject: activeSubject, type: 'stream' },
    { name: echoSubject, subject: echoSubject, ...from, local_subject: echoSubject, type: 'service' },
    {
      name: usageSubject,
      subject: `${usageSubject}.${importer}`,
      ...from,
      local_subject: usageSubject,
      type: 'service',
    },
  ]
}

/** The subject an import has inside the importing account. */
function localSubjectOf(item: Import): string {
  const subject = item.subject ?? ''
  if (item.local_subject) return item.local_subject.replace(/\$\d+/g, '*')
  if (item.to && item.type === 'stream') return `${item.to}.${subject}`
  return subject
}

/**
 * Puts the demonstration imports in: whatever the token says about them is replaced, and one whose local subject the
 * account already uses for an import or a service of its own is left out.
 * @returns the owner's imports, untouched, and the demonstration imports to add
 */
export function withDemoImports(
  claims: AccountClaims,
  demoAccount: string,
): { own: (Import | null)[]; demo: Import[] } {
  const own = (claims.nats.imports ?? []).filter((item) => item?.account !== demoAccount)
  // A service exported under a wildcard that covers more than ngs.> is no claim to ngs.echo in particular.
  const services = (claims.nats.exports ?? []).filter(
    (item) => item?.type === 'service' && item.subject?.startsWith('ngs.'),
  )
  const taken = [
    ...own.flatMap((item) => (item === null ? [] : [localSubjectOf(item)])),
    ...services.map((item) => item?.subject ?? ''),
  ]
  const demo = demoImports(demoAccount, claims.sub).filter(
    (item) => !taken.some((subject) => subject !== '' && subjectsOverlap(subject, localSubjectOf(item))),
  )
  return { own, demo }
}
