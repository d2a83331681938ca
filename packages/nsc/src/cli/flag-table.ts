import { type Entry, GLOBAL_FLAGS } from './program.ts'
import { type CommandSpec, type FlagSpec, type GroupSpec, isGroup } from './spec.ts'

/** A command, the words that call it, and all flags it takes: those of its groups and of every command too. */
export interface ListedCommand {
  path: string
  command: CommandSpec
  /** The letter of each flag by its name, empty when it has none. */
  flags: Map<string, string>
}

/** Every command there is, in the order of the tables. */
export async function flagTable(entries: readonly Entry[]): Promise<ListedCommand[]> {
  const listed: ListedCommand[] = []
  const walk = (words: string[], spec: CommandSpec | GroupSpec, above: readonly FlagSpec[]) => {
    const flags = [...above, ...(spec.flags ?? [])]
    if (isGroup(spec)) for (const child of spec.commands) walk([...words, child.name], child, flags)
    else {
      const letters = new Map(flags.map(({ name, short = '' }) => [name, short]))
      listed.push({ path: words.join(' '), command: spec, flags: letters.set('help', 'h') })
    }
  }
  for (const entry of entries) walk(['nsc', entry.name], await entry.load(), GLOBAL_FLAGS)
  return listed
}
