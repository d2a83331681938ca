import { flagTable } from '../cli/flag-table.ts'
import type { Call } from '../cli/spec.ts'

export async function run({ session, args, entries }: Call): Promise<undefined> {
  const [wanted = ''] = args
  const found = (await flagTable(entries)).filter(
    ({ flags }) => flags.has(wanted) || [...flags.values()].includes(wanted),
  )
  session.note(found.map(({ path }) => path).join('\n'))
}
