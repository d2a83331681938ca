// Profiles of the process, as the tools of V8 read them.
import { Session } from 'node:inspector/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { goDuration } from '../duration.ts'

const LONGEST_NS = 15e9

interface Profile {
  /** Base64; null when there is none. */
  profile: string | null
  error: string
}

const failed = (error: string): Profile => ({ profile: null, error })

/**
 * `cpu`: a .cpuprofile over `duration` ns; `heap` and `allocs`: a .heapprofile of what is alive. Others are those of Go's run time, which is
 * not here.
 */
export async function profilez(name: string, duration: number): Promise<Profile> {
  if (name === '') return failed('Profile name not specified')
  if (name !== 'cpu' && name !== 'heap' && name !== 'allocs')
    return failed(`Profile ${JSON.stringify(name)} not found`)
  if (name === 'cpu' && (duration <= 0 || duration > LONGEST_NS))
    return failed(`Duration ${goDuration(duration)} should be between 0s and 15s`)
  const session = new Session()
  session.connect()
  try {
    const profile = name === 'cpu' ? await cpu(session, duration / 1e6) : await heap(session)
    return { profile: Buffer.from(JSON.stringify(profile)).toString('base64'), error: '' }
  } catch (error) {
    return failed(`Failed to start ${name} profile: ${(error as Error).message}`)
  } finally {
    session.disconnect()
  }
}

async function cpu(session: Session, ms: number): Promise<unknown> {
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await wait(ms)
  return (await session.post('Profiler.stop')).profile
}

async function heap(session: Session): Promise<unknown> {
  await session.post('HeapProfiler.enable')
  await session.post('HeapProfiler.startSampling')
  return (await session.post('HeapProfiler.stopSampling')).profile
}
