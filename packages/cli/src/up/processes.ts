// Which process is which, across restarts: a process id alone says little, because ids are used again.
import { readFileSync } from 'node:fs'

/** A process of this machine. `started` is null where the system does not tell (no /proc). */
export interface ProcessId {
  pid: number
  started: string | null
}

export function identify(pid: number): ProcessId {
  return { pid, started: startTime(pid) }
}

/** Whether this very process still runs. */
export function isRunning({ pid, started }: ProcessId): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: there is one, it belongs to somebody else.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const now = startTime(pid)
  if (now === 'dead') return false
  return started === null || now === null || now === started
}

/** Start time in clock ticks since boot; `dead` for a zombie, which holds its id but no resources. */
function startTime(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the command's name, which may hold blanks: state is field 1 of them, start time field 20.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' || fields[0] === 'X' ? 'dead' : (fields[19] ?? null)
  } catch {
    return null
  }
}
