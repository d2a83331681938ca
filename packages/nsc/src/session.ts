import { type AccountClaims, isPublicKey, type OperatorClaims } from '@ngs/identity/node'
import { Environment, type FolderFlags } from './environment.ts'
import { failure, NscError, textOf, usageError } from './errors.ts'
import { statOf, writeAtomically } from './files.ts'
import type { Io } from './io.ts'
import { Keystore } from './keystore/keystore.ts'
import { Context } from './store/context.ts'
import { OperatorStore, operatorNames } from './store/operator-store.ts'
import { backquote } from './text.ts'

export { OperatorStore }

/** The flags every command has. */
export interface GlobalFlags extends FolderFlags {
  privateKey?: string | undefined
  interactive?: boolean | undefined
}

const NO_OPERATOR = "set an operator -- 'nsc env -o operatorName'"

/** One run of one command: where things are, what is selected, who signs. */
export class Session {
  readonly io: Io
  readonly environment: Environment
  readonly context: Context
  readonly keystore: Keystore
  /** The -K flag, or the answer to a question: whose key signs. */
  signer: string | null
  readonly interactive: boolean

  constructor(io: Io, flags: GlobalFlags) {
    this.io = io
    this.environment = new Environment(io, flags)
    this.context = Context.load(this.environment)
    this.keystore = new Keystore(this.environment.keysDir, this.environment)
    this.signer = flags.privateKey || null
    this.interactive = flags.interactive ?? false
  }

  /** Paths of flags and messages. */
  expand(file: string): string {
    return this.environment.expand(file)
  }

  /** A path as messages show it: home shortened, in back-quotes. */
  shown(file: string): string {
    return backquote(this.environment.abbreviate(file))
  }

  /** The store of the current operator. */
  store(): OperatorStore {
    const { context } = this
    if (context.storeRoot === '') throw failure('no stores available')
    if (statOf(context.storeRoot) === null)
      throw failure(`stat ${context.storeRoot}: no such file or directory`)
    if (context.operator === '') throw new NscError('no-operator', NO_OPERATOR)
    return context.store()
  }

  /** Like {@link store}, but null when no operator is chosen. */
  storeIfAny(): OperatorStore | null {
    try {
      return this.store()
    } catch {
      return null
    }
  }

  /**
   * The account a command works on: the one of the `-a` flag (a name, or the public key of an account here), which
   * counts for this run only, else the current one.
   */
  selectAccount(flag: string): string {
    if (flag !== '') {
      const store = this.store()
      this.context.useAccount(isPublicKey(flag, 'account') ? accountNameOf(store, flag) : flag)
    }
    return this.context.account
  }

  /** Like {@link selectAccount}; an error with the usage when there is none. */
  requireAccount(flag: string): string {
    const account = this.selectAccount(flag)
    if (account === '') throw usageError('an account is required')
    return account
  }

  /** Writes what a command made into the file a flag names; errors name it as it was given. */
  writeOutput(given: string, content: string, mode?: number): void {
    const file = this.expand(given)
    try {
      writeAtomically(file, content, mode)
    } catch (thrown) {
      throw failure(textOf(thrown).replace(file, given), thrown)
    }
  }

  /** Writes a line to standard error: what official commands print besides their result. */
  note(line: string): void {
    this.io.stderr.write(`${line}\n`)
  }

  /** Writes data to standard output. */
  print(text: string): void {
    this.io.stdout.write(`${text}\n`)
  }
}

/** Whether there is somebody to ask. */
export function atTerminal({ io }: Session): boolean {
  return io.stdin.isTTY === true && io.stdout.isTTY === true
}

function accountNameOf(store: OperatorStore, publicKey: string): string {
  for (const name of store.accountNames()) {
    try {
      if (store.account(name).sub === publicKey) return name
    } catch {
      // An unreadable neighbour does not matter here.
    }
  }
  throw failure(`no account found with public key ${publicKey}`)
}

/** An account of any operator in the stores root. */
export interface KnownAccount {
  operator: OperatorClaims
  operatorStore: string
  account: AccountClaims
}

/** Everything readable below the stores root; what cannot be read is left out. */
export function* knownAccounts(context: Context): Generator<KnownAccount> {
  for (const operatorStore of operatorNames(context.storeRoot)) {
    let store: OperatorStore
    let operator: OperatorClaims
    try {
      store = OperatorStore.open(context.storeRoot, operatorStore)
      operator = store.operator()
    } catch {
      continue
    }
    for (const name of store.accountNames()) {
      try {
        yield { operator, operatorStore, account: store.account(name) }
      } catch {
        // Same: one damaged token must not hide the others.
      }
    }
  }
}

/**
 * Refuses what this program cannot work on, before any command does: stores of the first token format, and key
 * stores laid out the old way.
 */
export function checkCompatibility(
  session: Session,
  command: { worksOnOldStore?: boolean; worksOnOldKeystore?: boolean },
): void {
  const store = session.storeIfAny()
  if (store && !command.worksOnOldStore && operatorVersion(store) === 1)
    throw failure(
      `the store ${backquote(store.name)} holds tokens of version 1, which this nsc does not work on - ` +
        'for a managed service import its operator again: nsc add operator --force -u <url of the service>; ' +
        'with the operator key, upgrade the store: nsc upgrade-jwt',
    )
  if (!command.worksOnOldKeystore && session.keystore.needsMigration())
    throw failure(
      `the keystore ${session.shown(session.keystore.dir)} needs migration - type \`nsc keys migrate\` to update`,
    )
}

function operatorVersion(store: OperatorStore): number | null {
  try {
    return store.operator().nats.version
  } catch {
    return null
  }
}
