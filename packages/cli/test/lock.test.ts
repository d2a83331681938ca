import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { tempDir } from '@ngs/testkit'
import { DataDirLock } from '../src/up/lock.ts'
import { identify, isRunning } from '../src/up/processes.ts'

/** A process that does nothing until it is killed. */
async function sleeper(): Promise<{ pid: number; kill: () => Promise<void>; exited: () => boolean }> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log()'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exit = once(child, 'exit')
  await once(child.stdout, 'data')
  return {
    pid: child.pid!,
    exited: () => child.exitCode !== null || child.signalCode !== null,
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

describe('the lock of a data directory', () => {
  it('is held by one process, and free again after release', async (t) => {
    const dir = tempDir(t)
    const lock = await DataDirLock.acquire(dir)
    await assert.rejects(DataDirLock.acquire(dir), {
      code: 'data-dir-in-use',
      exitCode: 1,
      message: new RegExp(`${dir} is in use by another ngs up \\(process ${process.pid}\\).*--data-dir`),
    })
    lock.release()
    ;(await DataDirLock.acquire(dir)).release()
    assert.deepEqual(readdirSync(dir), [])
  })

  it('may be gone with its directory when the server has ended', async (t) => {
    const dir = join(tempDir(t), 'data')
    mkdirSync(dir)
    const lock = await DataDirLock.acquire(dir)
    lock.setServer(process.pid)
    rmSync(dir, { recursive: true })
    lock.setServer(null)
    lock.release()
    assert.equal(existsSync(dir), false)
  })

  it('of a dead process is taken over', async (t) => {
    const dir = tempDir(t)
    const dead = await sleeper()
    const owner = identify(dead.pid)
    await dead.kill()
    writeFileSync(join(dir, 'up.lock'), JSON.stringify({ owner, server: null }))
    const lock = await DataDirLock.acquire(dir)
    assert.equal(JSON.parse(readFileSync(join(dir, 'up.lock'), 'utf8')).owner.pid, process.pid)
    lock.release()
    assert.equal(existsSync(join(dir, 'up.lock')), false)
  })

  it('of a process whose id now belongs to another one is taken over', {
    skip: process.platform !== 'linux' && 'needs /proc',
  }, async (t) => {
    const dir = tempDir(t)
    const owner = { pid: process.pid, started: '1' }
    writeFileSync(join(dir, 'up.lock'), JSON.stringify({ owner, server: null }))
    ;(await DataDirLock.acquire(dir)).release()
  })

  it('cut short by a crash is taken over', async (t) => {
    const dir = tempDir(t)
    writeFileSync(join(dir, 'up.lock'), '{"owner":')
    ;(await DataDirLock.acquire(dir)).release()
  })

  it('of a dead process tells of the server it has left behind, which is stopped', async (t) => {
    const dir = tempDir(t)
    const dead = await sleeper()
    const owner = identify(dead.pid)
    await dead.kill()
    const orphan = await sleeper()
    t.after(() => orphan.kill())
    writeFileSync(join(dir, 'up.lock'), JSON.stringify({ owner, server: identify(orphan.pid) }))
    const lock = await DataDirLock.acquire(dir)
    assert.equal(isRunning(identify(orphan.pid)), false)
    lock.release()
  })

  it('is won by exactly one of many who find a stale one', async (t) => {
    const dir = tempDir(t)
    for (let round = 0; round < 20; round++) {
      writeFileSync(
        join(dir, 'up.lock'),
        JSON.stringify({ owner: { pid: process.pid, started: 'before' }, server: null }),
      )
      const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => DataDirLock.acquire(dir)))
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      assert.equal(won.length, 1)
      won[0]!.value.release()
    }
  })
})
