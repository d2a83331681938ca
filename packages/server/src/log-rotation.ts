// Rotation of a log file: the full one gets a name with the time, and the oldest of those go.
import { readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { micros } from './clock.ts'
import { quoteText } from './quote.ts'

/** What the new log file says of its rotation. */
interface RotationLine {
  readonly level: 'INF' | 'ERR'
  readonly text: string
}

/** `2026.11.28.14.30.00.123456789`, and what is left of it when somebody cut the fraction. */
const STAMP = /^\d{4}(\.\d{2}){5}(\.\d{1,9})?$/

/**
 * Renames the file and opens a new one.
 * @param keep log files to keep, the new one included; 0 for all.
 * @throws when the new file cannot be opened.
 */
export function rotate(
  file: string,
  keep: number,
  open: () => number,
): { descriptor: number; lines: RotationLine[] } {
  const backup = `${file}.${stamp()}`
  renameSync(file, backup)
  const descriptor = open()
  const lines: RotationLine[] = [{ level: 'INF', text: `Rotated log, backup saved as ${quoteText(backup)}` }]
  if (keep > 0) lines.push(...purge(file, keep - 1))
  return { descriptor, lines }
}

function purge(file: string, keep: number): RotationLine[] {
  const dir = dirname(file)
  let backups: string[]
  try {
    const prefix = `${basename(file)}.`
    backups = readdirSync(dir)
      .filter((name) => name.startsWith(prefix) && STAMP.test(name.slice(prefix.length)))
      .sort()
  } catch (error) {
    return [
      {
        level: 'ERR',
        text: `Unable to read directory ${quoteText(dir)} for log purge (${(error as Error).message}), will attempt next rotation`,
      },
    ]
  }
  const lines: RotationLine[] = []
  for (const name of backups.slice(0, Math.max(0, backups.length - keep))) {
    try {
      rmSync(join(dir, name))
    } catch (error) {
      const text = `Unable to remove backup log file ${quoteText(name)} (${(error as Error).message}), will attempt next rotation`
      return [...lines, { level: 'ERR', text }]
    }
    lines.push({ level: 'INF', text: `Purged log file ${quoteText(name)}` })
  }
  return lines
}

let last = 0

/** Local time to the microsecond, written as nanoseconds; no two rotations get one name. */
function stamp(): string {
  const two = (number: number): string => String(number).padStart(2, '0')
  last = Math.max(micros(), last + 1)
  const now = new Date(Math.floor(last / 1000))
  return [
    now.getFullYear(),
    two(now.getMonth() + 1),
    two(now.getDate()),
    two(now.getHours()),
    two(now.getMinutes()),
    two(now.getSeconds()),
    `${String(last % 1_000_000).padStart(6, '0')}000`,
  ].join('.')
}
