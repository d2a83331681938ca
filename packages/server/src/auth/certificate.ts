// verify_and_map: the user that a client's certificate names.
import type { X509Certificate } from 'node:crypto'
import type { UserOptions } from '../options.ts'
import { type Holder, holderOf } from './der.ts'
import { dnOfSubject, domainComponents, parseDn, printSubject, sameDn, sameParts } from './dn.ts'

/**
 * The first of the users whose name the certificate has: as an e-mail address, DNS name or URI, then as its subject (in order, in any
 * order, and as the official server prints subjects with and without domain components). Without one, why.
 */
export function userOfCertificate(
  certificate: X509Certificate | undefined,
  users: readonly UserOptions[],
): UserOptions | string {
  if (certificate === undefined) return 'User required in cert, no peer certificates found'
  let holder: Holder
  try {
    holder = holderOf(certificate.raw)
  } catch (error) {
    return `User required in cert, which cannot be read: ${(error as Error).message}`
  }
  const { subject, emails, dnsNames, uris } = holder
  if (subject.length + emails.length + dnsNames.length + uris.length === 0)
    return 'User required in cert, none found'
  const named = (name: string): UserOptions | undefined => users.find(({ user }) => user === name)
  for (const name of [...emails, ...dnsNames, ...uris]) {
    const found = named(name)
    if (found !== undefined) return found
  }
  const printed = printSubject(subject)
  const domains = domainComponents(subject)
  return (
    byDn(subject, users) ??
    (domains === '' ? undefined : named(`${printed},${domains}`)) ??
    named(printed) ??
    `User in cert [${JSON.stringify(printed)}], not found`
  )
}

function byDn(subject: Holder['subject'], users: readonly UserOptions[]): UserOptions | undefined {
  const wanted = dnOfSubject(subject)
  if (wanted === null) return undefined
  const written = users.flatMap((user) => {
    const dn = parseDn(user.user)
    return dn === null ? [] : [{ user, dn }]
  })
  const found =
    written.find(({ dn }) => sameDn(dn, wanted)) ?? written.find(({ dn }) => sameParts(dn, wanted))
  return found?.user
}
