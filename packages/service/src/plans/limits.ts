// What a plan means in an account token.
import type { OperatorLimits } from '@ngs/identity/node'
import type { Plan } from './catalogue.ts'

/**
 * The limits of an account token under a plan. Exports, subscriptions and wildcards are free on every plan; the
 * demonstration imports come on top of the plan's. `disallow_bearer` only restricts, so it stays the owner's.
 */
export function limitsOf(plan: Plan, demoImports: number, disallowBearer: boolean): OperatorLimits {
  const { limits } = plan
  return {
    subs: -1,
    data: limits.data,
    payload: limits.payload,
    imports: limits.imports === -1 ? -1 : limits.imports + demoImports,
    exports: -1,
    wildcards: true,
    ...(disallowBearer ? { disallow_bearer: true } : {}),
    conn: limits.connections,
    leaf: limits.leaf_nodes,
  }
}
