// From what the owner wants to what the operator signs: the owner's fields untouched, the plan's limits, the
// demonstration imports. Pure.
import { type AccountClaims, type Import, validate } from '@ngs/identity/node'
import { withDemoImports } from '../demo/account.ts'
import { ServiceError } from '../errors.ts'
import type { Plan } from '../plans/catalogue.ts'
import { excessOf } from '../plans/fit.ts'
import { limitsOf } from '../plans/limits.ts'

/** An expiry this close after the signature, in seconds, is how nsc says that the owner deletes the account. */
const deletionWindow = 120

/** True for the last word of an owner: `nsc delete account` signs the account once more, to expire in a minute. */
export function isDeletion(claims: AccountClaims): boolean {
  const expires = Number(claims.exp ?? 0)
  return expires > 0 && expires - Number(claims.iat) <= deletionWindow
}

export interface Composed {
  claims: AccountClaims
  /** The account's own imports. */
  imports: (Import | null)[]
}

/**
 * The claims to sign.
 * @param base what the owner pushed, or the stored account when only the plan changes
 */
export function compose(base: AccountClaims, plan: Plan, demoAccount: string): Composed {
  const { own, demo } = withDemoImports(base, demoAccount)
  const claims = structuredClone(base)
  claims.nats.imports = structuredClone([...own, ...demo])
  claims.nats.limits = limitsOf(plan, demo.length, base.nats.limits.disallow_bearer === true)
  if (isDeletion(base) && plan.limits.imports >= 0) {
    // Leaving is always possible, also for an account that has outgrown its plan.
    claims.nats.limits.imports = Math.max(Number(claims.nats.limits.imports), claims.nats.imports.length)
  }
  return { claims, imports: own }
}

/**
 * Checks composed claims against the plan and against every rule the servers have for accounts.
 * @param now unix seconds
 * @throws ServiceError over-plan, expired-token, invalid-claims, with the issues as remedy
 */
export function checkComposed({ claims, imports }: Composed, plan: Plan, now: number): void {
  const leaving = isDeletion(claims)
  if (!leaving) {
    const excess = excessOf(plan, { imports, connections: 0, leafNodes: 0 })
    if (excess.length > 0) {
      const allowed = plan.limits.imports === 0 ? 'no imports' : `${plan.limits.imports} imports`
      throw new ServiceError(
        'over-plan',
        `plan ${plan.name} allows ${allowed} besides the demonstration ones, this account has ${imports.length}; ` +
          'move to a larger plan (see ngs plans), or:',
        { remedy: excess },
      )
    }
  }
  // The issuer is about to be the operator; what the owner put into the limits is replaced and no issue.
  const issues = validate(claims, { now }).filter(
    (issue) => issue.blocking && !(leaving && issue.level === 'time'),
  )
  const time = issues.find((issue) => issue.level === 'time')
  if (time !== undefined) {
    throw new ServiceError(
      'expired-token',
      `the account JWT cannot be used now (${time.text}); change --start or --expiry with nsc edit account`,
    )
  }
  if (issues.length > 0) {
    // One line of each text: the official rules report some things twice.
    const remedy = [...new Set(issues.map((issue) => issue.text))]
    throw new ServiceError(
      'invalid-claims',
      'the account JWT breaks these rules; mend them with nsc and push again:',
      {
        remedy,
      },
    )
  }
}
