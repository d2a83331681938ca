import {
  type AccountClaims,
  isAccount,
  isOperator,
  type OperatorClaims,
  type UserClaims,
} from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure, textOf } from '../errors.ts'
import { exists, writeAtomically } from '../files.ts'
import { goJson } from '../json.ts'
import { Keystore } from '../keystore/keystore.ts'
import { Report } from '../report.ts'
import { signingKeys } from '../signing.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { backquote, quote } from '../text.ts'

/**
 * `nsc://operator[/account[/user]][?arguments]` answered as JSON, for programs such as the nats CLI. Arguments, in any
 * case: `names`, `keys`, `seeds` of all; `operatorName`, `accountKey`, `userSeed[=public key]` and so on of one;
 * `name` and `seed` of all that the URL names, `key` of the last; `store` and `keystore` say where to look.
 */

type Kind = 'operator' | 'account' | 'user'
const KINDS: readonly Kind[] = ['operator', 'account', 'user']

interface Details {
  service?: string[]
  name?: string
  seed?: string
  id?: string
}

interface Wanted {
  names: Partial<Record<Kind, string>>
  options: Map<string, string>
}

/** An entity of the URL as it was found. */
interface Found {
  /** Name on disk. */
  name: string
  claims: OperatorClaims | AccountClaims | UserClaims
}

export function run({ session, flags, args }: Call): Report | undefined {
  const [url = ''] = args
  const { names, options } = parse(url)
  const place = (option: string) => {
    const given = options.get(option)
    return given ? session.expand(given) : null
  }
  const root = place('store') ?? session.context.storeRoot
  const folder = place('keystore')
  const keystore = folder === null ? session.keystore : new Keystore(folder)
  const found = find(root, names)
  const operator = found.get('operator') as Found
  const profile: Record<string, unknown> = {}
  const user = found.get('user')
  if (user) {
    const creds = keystore.credsPath(operator.name, found.get('account')?.name ?? '', user.name)
    if (exists(creds)) profile['user_creds'] = creds
  }
  for (const kind of KINDS) {
    const entity = found.get(kind)
    const details = entity ? detailsOf(kind, entity, lastOf(names), options, keystore) : null
    if (details) profile[kind] = details
  }
  const text = `${goJson(profile, { indent: 2 })}\n`
  const output = flags.text('output-file')
  if (output === '--') {
    session.io.stdout.write(text)
    return undefined
  }
  const file = session.expand(output)
  try {
    writeAtomically(file, text)
  } catch (thrown) {
    throw failure(`error creating output file ${backquote(file)}: ${textOf(thrown)}`, thrown)
  }
  return Report.line('ok', `wrote tool configuration to ${session.shown(output)}`)
}

function parse(url: string): Wanted {
  const fail = (text: string) => failure(`error parsing ${quote(url)}: invalid nsc url: ${text}`)
  if (!/^nsc:\/\//i.test(url)) throw fail("expecting 'nsc://'")
  const rest = url.slice('nsc://'.length)
  const [path = '', ...query] = rest.split('?')
  if (path === '') throw fail('expecting an operator name')
  const options = new Map<string, string>()
  for (const part of query.join('?').split('&')) {
    const [key = '', ...value] = part.split('=')
    if (key === '') continue
    try {
      options.set(key.toLowerCase(), decodeURIComponent(value.join('=').replaceAll('+', ' ')))
    } catch (thrown) {
      throw failure(`error parsing query ${quote(url)}: ${textOf(thrown)}`, thrown)
    }
  }
  const names: Wanted['names'] = {}
  for (const [index, name] of path.split('/').slice(0, 3).entries())
    if (name !== '') names[KINDS[index] as Kind] = name
  return { names, options }
}

function lastOf(names: Wanted['names']): Kind {
  return names.user ? 'user' : names.account ? 'account' : 'operator'
}

/** What the URL names: by name on disk, name in the token or public key, whatever the case. */
function find(root: string, names: Wanted['names']): Map<Kind, Found> {
  const found = new Map<Kind, Found>()
  const { operator = '', account, user } = names
  const entry = pick(operator, operatorNames(root), (name) => OperatorStore.open(root, name).operator())
  if (!entry) throw failure(`operator ${quote(operator)} not in ${backquote(root)}`)
  found.set('operator', entry)
  const store = OperatorStore.open(root, entry.name)
  if (account === undefined) return found
  const owner = pick(account, store.accountNames(), (name) => store.account(name))
  if (!owner)
    throw failure(`${quote(account)} not in accounts for operator ${quote(entry.name)} in ${backquote(root)}`)
  found.set('account', owner)
  if (user === undefined) return found
  const member = pick(user, store.userNames(owner.name), (name) => store.user(owner.name, name))
  if (!member) throw failure(`invalid user ${quote(user)}: user was not found`)
  return found.set('user', member)
}

function pick(
  wanted: string,
  names: readonly string[],
  read: (name: string) => Found['claims'],
): Found | null {
  const forms = [wanted, unescaped(wanted)].map((form) => form.toLowerCase())
  const known = names.flatMap((name) => {
    try {
      return [{ name, claims: read(name) }]
    } catch {
      return []
    }
  })
  return (
    known.find(({ name }) => name === wanted) ??
    known.find(({ name }) => forms.includes(name.toLowerCase())) ??
    known.find(({ claims }) =>
      [claims.name ?? '', claims.sub].some((form) => forms.includes(form.toLowerCase())),
    ) ??
    null
  )
}

/** A name may be written as in a URL. */
function unescaped(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** What is asked about one entity; null when nothing is, except for the operator, who is always there. */
function detailsOf(
  kind: Kind,
  { name, claims }: Found,
  last: Kind,
  options: ReadonlyMap<string, string>,
  keystore: Keystore,
): Details | null {
  const details: Details = {}
  if (isOperator(claims) && claims.nats.operator_service_urls?.length)
    details.service = claims.nats.operator_service_urls
  if (['names', `${kind}name`, 'name'].some((option) => options.has(option)))
    details.name = kind === 'operator' ? name : (claims.name ?? name)
  const seedAsked = ['seeds', `${kind}seed`, 'seed'].some((option) => options.has(option))
  if (seedAsked) details.seed = seedOf(keystore, claims, options.get(`${kind}seed`) ?? '')
  if (['keys', `${kind}key`].some((option) => options.has(option)) || (options.has('key') && kind === last))
    details.id = claims.sub
  return kind === 'operator' || Object.keys(details).length > 0 ? details : null
}

/** The seed of the key that is asked for, else of the first that is stored: identity, then signing keys. */
function seedOf(keystore: Keystore, claims: Found['claims'], wanted: string): string {
  const keys = [claims.sub]
  if (isOperator(claims)) keys.push(...(claims.nats.signing_keys ?? []))
  else if (isAccount(claims)) keys.push(...signingKeys(claims))
  const key = wanted.toUpperCase()
  if (key !== '' && !keys.includes(key)) throw failure(`${quote(key)} was not found`)
  for (const candidate of key === '' ? keys : [key]) {
    const seed = keystore.seedOf(candidate)
    if (seed !== null) return seed
  }
  throw failure(`no seed was found for ${quote(keys[0] ?? '')}`)
}
