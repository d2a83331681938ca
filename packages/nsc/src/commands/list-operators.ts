import type { Call } from '../cli/spec.ts'
import { failure } from '../errors.ts'
import { OperatorStore, operatorNames } from '../store/operator-store.ts'
import { noOperatorsText, readEntries, renderEntries } from './list-shared.ts'

export function run({ session, flags }: Call): undefined {
  const { context } = session
  if (context.storeRoot === '') throw failure('no store set - `env --store <dir>`')
  const names = operatorNames(context.storeRoot)
  if (names.length === 0) {
    // On standard output and without a newline, as the official program prints it.
    session.io.stdout.write(noOperatorsText(context.storeRoot))
    return
  }
  const entries = readEntries(names, (name) => OperatorStore.open(context.storeRoot, name).operator())
  session.note(renderEntries('Operators', entries, context.operator, flags.switch('json')))
}
