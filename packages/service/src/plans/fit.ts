// Does an account fit a plan? If not, what has to go.
import type { Import } from '@ngs/identity/node'
import type { Plan } from './catalogue.ts'

export interface InUse {
  /** The account's own imports, the demonstration ones left out. */
  imports: readonly (Import | null)[]
  connections: number
  leafNodes: number
}

export function describeImport(item: Import | null): string {
  return `${item?.type ?? ''} import "${item?.subject ?? ''}" of account ${item?.account ?? ''}`
}

/** One line for each thing that is too much; none when the account fits. */
export function excessOf(plan: Plan, use: InUse): string[] {
  const { limits } = plan
  const lines: string[] = []
  const extra = use.imports.length - limits.imports
  if (limits.imports >= 0 && extra > 0) {
    const which = extra === use.imports.length ? '' : `${extra} of `
    lines.push(
      `remove ${which}${use.imports.length === 1 ? 'this import' : `these ${use.imports.length} imports`}:`,
      ...use.imports.map((item) => `  ${describeImport(item)}`),
    )
  }
  const over = (what: string, used: number, most: number) => {
    if (most >= 0 && used > most)
      lines.push(`close ${used - most} of ${used} ${what} (the plan allows ${most})`)
  }
  over('connections', use.connections, limits.connections)
  over('leaf node connections', use.leafNodes, limits.leaf_nodes)
  return lines
}
