// What an account uses beside what it may use, as lines with bars.
import type { PlanLimits, UsageReport } from '@ngs/service'
import type { Paint } from './paint.ts'
import { bar, countText, dataText, messagesText } from './units.ts'

/** From this part of a limit on the bar turns yellow, and red once the limit is reached. */
const WARN = 0.8

/** One line each for connections, data, imports and leaf nodes, then what has no limit. */
export function usageLines(usage: UsageReport, limits: PlanLimits, paint: Paint): string[] {
  const rows: [string, number, number, (value: number) => string][] = [
    ['Connections', usage.connections, limits.connections, countText],
    ['Data', usage.data, limits.data, dataText],
    ['Imports', usage.imports, limits.imports, countText],
    ['Leaf nodes', usage.leaf_nodes, limits.leaf_nodes, countText],
  ]
  const lines = rows.map(([name, used, limit, text]) => {
    const { text: drawn, part } = bar(used, limit)
    const style = part >= 1 && limit !== 0 ? 'red' : part >= WARN && limit !== 0 ? 'yellow' : 'green'
    const numbers = `${text(used)} of ${text(limit)}`
    return `  ${name.padEnd(14)}${numbers.padEnd(20)}${limit === 0 || drawn === '' ? '' : paint(style, drawn)}`.trimEnd()
  })
  const traffic = ({ messages, bytes }: { messages: number; bytes: number }) =>
    `${messagesText(messages)}, ${dataText(bytes)}`
  lines.push(
    `  ${'Subscriptions'.padEnd(14)}${countText(usage.subscriptions)}`,
    `  ${'Exports'.padEnd(14)}${countText(usage.exports)}`,
    `  ${'Sent by you'.padEnd(14)}${traffic(usage.received)}`,
    `  ${'Sent to you'.padEnd(14)}${traffic(usage.sent)}`,
  )
  if (usage.slow_consumers > 0) {
    lines.push(
      `  ${'Slow clients'.padEnd(14)}${paint('yellow', `${countText(usage.slow_consumers)} closed because they read too slowly`)}`,
    )
  }
  return lines
}
