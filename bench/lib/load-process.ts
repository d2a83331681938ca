// A load generator in a process of its own, driven by commands over the IPC channel.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Command, Report } from '../load/commands.ts'

/** How long nothing at all may come from a load process before the run counts as lost. */
const SILENCE = 60_000

export class LoadProcess {
  readonly #child: ChildProcess
  readonly #name: string
  #waiting: { is: Report['is']; resolve: (report: Report) => void; reject: (error: Error) => void } | null =
    null
  #failure: Error | null = null
  #heard = false
  /** Reports that came before anybody asked for them. */
  readonly #early = new Map<Report['is'], Report>()
  /** Gets the progress reports. */
  onProgress: (received: number) => void = () => {}

  constructor(name: 'publisher' | 'subscriber' | 'wide' | 'requester' | 'responder' | 'storm') {
    this.#name = name
    this.#child = fork(join(import.meta.dirname, `../load/${name}.ts`), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#child.on('message', (report: Report) => this.#take(report))
    this.#child.on('exit', (code, signal) =>
      this.#fail(new Error(`load process ${name} ended with ${code ?? signal}`)),
    )
  }

  /** Sends without waiting for an answer. */
  tell(command: Command): void {
    if (this.#child.connected) this.#child.send(command)
  }

  /** Sends `command` and waits for the report `is`; rejects when the process fails or falls silent. */
  async ask<T extends Report['is']>(command: Command | null, is: T): Promise<Extract<Report, { is: T }>> {
    if (this.#failure !== null) throw this.#failure
    const early = this.#early.get(is)
    if (early !== undefined && command === null) {
      this.#early.delete(is)
      return early as Extract<Report, { is: T }>
    }
    this.#early.delete(is)
    const answer = new Promise<Report>((resolve, reject) => {
      this.#waiting = { is, resolve, reject }
    })
    if (command !== null) this.tell(command)
    const timer = setInterval(() => {
      if (!this.#heard)
        this.#fail(new Error(`${this.#name}: no "${is}" and no progress for ${SILENCE / 1000} s`))
      this.#heard = false
    }, SILENCE)
    this.#heard = true
    try {
      return (await answer) as Extract<Report, { is: T }>
    } finally {
      clearInterval(timer)
    }
  }

  #take(report: Report): void {
    this.#heard = true
    if (report.is === 'failed') this.#fail(new Error(`${this.#name}: ${report.reason}`))
    else if (report.is === 'progress') this.onProgress(report.received)
    else if (this.#waiting?.is === report.is) {
      const { resolve } = this.#waiting
      this.#waiting = null
      resolve(report)
    } else this.#early.set(report.is, report)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.reject(this.#failure)
  }

  async stop(): Promise<void> {
    this.#failure ??= new Error(`${this.#name} was stopped`)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}
