import { isPublicKey } from '@ngs/identity/node'
import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import type { Report } from '../report.ts'
import type { Session } from '../session.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { describeToken } from './describe-shared.ts'
import { nameOf } from './name-of.ts'

export function run(call: Call): Promise<Report | undefined> {
  const { session } = call
  const given = nameOf(call)
  const name = isPublicKey(given, 'operator') ? nameOfKey(session, given) : given
  const store = name === '' ? session.storeIfAny() : OperatorStore.open(session.context.storeRoot, name)
  if (!store) throw failure('set an operator')
  return describeToken(call, store.operatorToken())
}

function nameOfKey({ context }: Session, key: string): string {
  for (const name of operatorNames(context.storeRoot)) {
    try {
      if (OperatorStore.open(context.storeRoot, name).operator().sub === key) return name
    } catch {
      // Another operator's damaged token is not what was asked for.
    }
  }
  throw failure(`no operator found with public key ${key}`)
}
