// The owner's side of an account on this machine: nsc's store says which account, its keystore has the key.
import { type AccountClaims, accountSigners, isPublicKey, type KeyPair } from '@ngs/identity/node'
import { CliError, reasonOf } from '../errors.ts'
import type { Io } from '../io.ts'

export interface OwnAccount {
  readonly name: string
  readonly publicKey: string
  /** Where the operator of the store is reached over HTTP, from its token; null when the token does not say. */
  readonly serviceUrl: string | null
  /** The account key, or a signing key of the account that has no scope. @throws CliError no-key */
  key(): KeyPair
}

/**
 * The account that commands are about: the one named, else nsc's current one.
 * @param wanted name or public key of an account in the current operator's store
 * @throws CliError no-account
 */
export async function ownAccount(io: Io, wanted = ''): Promise<OwnAccount> {
  const { Session } = await import('@ngs/nsc/session')
  try {
    const session = new Session(io, {})
    const name = session.selectAccount(wanted)
    if (name === '') {
      const names = session.storeIfAny()?.accountNames() ?? []
      throw names.length === 0
        ? new CliError('no-account', 'there is no account on this machine yet; make one with ngs signup')
        : new CliError(
            'no-account',
            `choose one of the accounts ${names.join(', ')} with --account NAME, or for good with ngs env -a NAME`,
          )
    }
    const store = session.store()
    const claims = store.account(name)
    return {
      name: claims.name ?? name,
      publicKey: claims.sub,
      serviceUrl: serviceUrlOf(store.operator().nats.account_server_url),
      key: () =>
        signingKey(claims, (publicKey) => session.keystore.get(publicKey), session.environment.keysDir),
    }
  } catch (error) {
    if (error instanceof CliError) throw error
    if ((error as { code?: unknown }).code === 'no-operator') {
      throw new CliError('no-account', 'there is no account on this machine yet; make one with ngs signup')
    }
    throw new CliError(
      'no-account',
      `${reasonOf(error)}; ngs list accounts shows what there is, ngs signup makes one`,
    )
  }
}

function signingKey(
  claims: AccountClaims,
  get: (publicKey: string) => KeyPair | null,
  keysDir: string,
): KeyPair {
  for (const [publicKey, scope] of accountSigners(claims)) {
    const key = scope === null && isPublicKey(publicKey, 'account') ? get(publicKey) : null
    if (key?.hasSeed) return key
  }
  throw new CliError(
    'no-key',
    `the key of account ${claims.name ?? claims.sub} is not in the keystore ${keysDir}; run this on the machine that has it, or copy it there with nsc import keys`,
  )
}

/** `http://host/jwt/v1` -> `http://host`. */
function serviceUrlOf(accountServerUrl: string | undefined): string | null {
  return /^(https?:\/\/.+?)\/jwt\/v1\/?$/.exec(accountServerUrl ?? '')?.[1] ?? null
}

/** Like {@link ownAccount} for commands that need none: null when there is none, or none is chosen. */
export async function ownAccountIfAny(io: Io): Promise<OwnAccount | null> {
  try {
    return await ownAccount(io)
  } catch {
    return null
  }
}
