import { flagTable } from '../cli/flag-table.ts'
import type { Call } from '../cli/spec.ts'

/** A line per command, a column per flag: its letter, `-` when it has none, nothing when the command lacks it. */
export async function run({ session, entries }: Call): Promise<undefined> {
  const commands = await flagTable(entries)
  const columns = [...new Set(commands.flatMap(({ flags }) => [...flags.keys()]))].sort()
  const lines = commands.map(({ path, flags }) => [
    path,
    ...columns.map((name) => (flags.has(name) ? flags.get(name) || '-' : '')),
  ])
  session.note([['cmd', ...columns], ...lines].map((line) => `${line.join(',')}\n`).join(''))
}
