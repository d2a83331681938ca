import path from 'node:path'
import { type AccountClaims, formatCreds, type OperatorClaims, type UserClaims } from '@ngs/identity/node'
import { failure, textOf } from '../errors.ts'
import { makeFolder } from '../files.ts'
import { Keystore } from '../keystore/keystore.ts'
import { checkTokenName } from '../names.ts'
import { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { OperatorStore } from '../store/operator-store.ts'
import { storeNameFor } from '../store/well-known.ts'
import { keysOf, type Piece, type Pieces } from './pieces.ts'

export interface Counts {
  operators: number
  accounts: number
  users: number
  keys: number
}

/** Writes `<out>/operators` and `<out>/keys`; what cannot be written is said and left out. */
export function rebuild(session: Session, pieces: Pieces, out: string, report: Report): Counts {
  try {
    makeFolder(out)
  } catch (thrown) {
    report.error(textOf(thrown))
    throw failure(textOf(thrown), thrown)
  }
  const section = new Report('Generate', { level: 'ok' })
  report.add(section)
  const builder = new Builder(session, pieces, out)
  for (const operator of pieces.operators.values()) builder.operator(operator, section)
  return builder.counts
}

class Builder {
  readonly counts: Counts = { operators: 0, accounts: 0, users: 0, keys: 0 }
  private readonly session: Session
  private readonly pieces: Pieces
  private readonly root: string
  private readonly keystore: Keystore

  constructor(session: Session, pieces: Pieces, out: string) {
    this.session = session
    this.pieces = pieces
    this.root = path.join(out, 'operators')
    this.keystore = new Keystore(path.join(out, 'keys'), session.environment)
  }

  operator({ claims, token }: Piece<OperatorClaims>, section: Report): void {
    const name = this.storeName(claims)
    const line = new Report(`operator ${name} [${claims.sub}]`, { level: 'ok' })
    section.add(line)
    let store: OperatorStore
    try {
      checkTokenName(name)
      const managed = !keysOf(claims).some((key) => this.pieces.keys.has(key))
      store = OperatorStore.create(this.root, name, { managed })
      store.write(token)
    } catch (thrown) {
      return line.error(`error creating store: ${textOf(thrown)}`)
    }
    this.counts.operators++
    this.storeKeys(keysOf(claims), line)
    line.ok('stored operator')
    for (const account of this.pieces.accounts.values())
      if (account.operator === claims.sub) this.account(store, account, line)
  }

  /** The name of the service, where the name in the token is one for people. */
  private storeName(claims: OperatorClaims): string {
    const name = claims.name ?? ''
    const server = claims.nats.account_server_url ?? ''
    return name.includes(' ') && server !== '' ? storeNameFor(this.session.io.env, server, name) : name
  }

  private account(store: OperatorStore, { claims, token }: Piece<AccountClaims>, parent: Report): void {
    const line = new Report(`account ${claims.name} [${claims.sub}]`, { level: 'ok' })
    parent.add(line)
    try {
      store.write(token)
    } catch (thrown) {
      return line.error(`error storing: ${textOf(thrown)}`)
    }
    line.ok('stored account')
    this.counts.accounts++
    const { xkey } = claims.nats.authorization
    this.storeKeys([...keysOf(claims), ...(xkey ? [xkey] : [])], parent)
    for (const user of this.pieces.users.values())
      if (user.account === claims.sub) this.user(store, claims.name ?? '', user, line, parent)
  }

  private user(
    store: OperatorStore,
    account: string,
    { claims, token }: Piece<UserClaims>,
    accountLine: Report,
    operatorLine: Report,
  ): void {
    const name = claims.name ?? ''
    const line = new Report(`user ${name} [${claims.sub}]`, { level: 'ok' })
    accountLine.add(line)
    try {
      store.write(token)
      this.counts.users++
    } catch (thrown) {
      return line.error(`error storing user: ${textOf(thrown)}`)
    }
    this.storeKeys([claims.sub], operatorLine)
    const pair = this.pieces.keys.get(claims.sub)
    if (!pair) return
    try {
      const file = this.keystore.writeCreds(store.name, account, name, formatCreds(token, pair.seed))
      line.ok(`stored creds file ${file}`)
    } catch (thrown) {
      line.error(`error storing creds file: ${textOf(thrown)}`)
    }
  }

  private storeKeys(keys: readonly string[], line: Report): void {
    for (const key of keys) {
      const pair = this.pieces.keys.get(key)
      if (!pair) continue
      try {
        this.keystore.store(pair)
        line.ok(`stored key ${key}`)
        this.counts.keys++
      } catch (thrown) {
        line.error(`error storing key ${key}: ${textOf(thrown)}`)
      }
    }
  }
}
