import path from 'node:path'
import { flagTable } from '../cli/flag-table.ts'
import { interpret } from '../cli/program.ts'
import type { Call } from '../cli/spec.ts'
import { makeFolder, writeAtomically } from '../files.ts'

export async function run({ session, args, entries }: Call): Promise<undefined> {
  const folder = session.expand(args[0] ?? '')
  makeFolder(folder)
  for (const { path: words, command } of await flagTable(entries)) {
    const call = await interpret([...words.split(' ').slice(1), '--help'], entries, () => {})
    if (call.kind !== 'help') continue
    const text = `## ${words}\n\n${command.summary}\n\n\`\`\`\n${call.text.trim()}\n\`\`\`\n`
    writeAtomically(path.join(folder, `${words.replaceAll(' ', '_')}.md`), text)
  }
}
