import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Sandbox } from './sandbox.ts'

type Pty = typeof import('@lydell/node-pty')

const OURS = path.resolve(import.meta.dirname, '../../bin/nsc')

/** The library has no binary for some platforms: tests that need a terminal are skipped there. */
const pty: Pty | null = await import('@lydell/node-pty').catch(() => null)

/** Test options for those that talk to the program at a terminal. */
export const needsTerminal = pty
  ? {}
  : { skip: 'no pseudo-terminals: @lydell/node-pty has no binary for this platform' }

export const KEYS = {
  enter: '\r',
  down: '\x1b[B',
  up: '\x1b[A',
  space: ' ',
  interrupt: '\x03',
  erase: '\x15',
}

/** The program at a terminal, and a person who reads before typing. */
export class Terminal {
  private readonly process: import('@lydell/node-pty').IPty
  private output = ''
  /** Up to where the output has been read. */
  private read = 0
  private wake: () => void = () => {}
  private ended: number | null = null

  constructor(sandbox: Sandbox, args: readonly string[], cwd = sandbox.home) {
    if (!pty) throw new Error('no pseudo-terminals')
    this.process = pty.spawn(OURS, [...args], {
      cwd,
      cols: 160,
      rows: 50,
      env: { PATH: process.env['PATH'] ?? '', HOME: sandbox.home, TZ: 'UTC', TERM: 'xterm', ...sandbox.env },
    })
    this.process.onData((data) => {
      this.output += data
      this.wake()
    })
    this.process.onExit(({ exitCode }) => {
      this.ended = exitCode
      this.wake()
    })
  }

  /** All that was shown, without colours and cursor movements. */
  get screen(): string {
    return stripVTControlCharacters(this.output).replace(/\r/g, '')
  }

  private async until(ready: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + 30_000
    while (!ready()) {
      if (this.ended !== null || Date.now() > deadline) {
        this.process.kill()
        throw new Error(`${what} was not shown:\n${this.screen}`)
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now())
        this.wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  /** Waits until a text is shown after what was read before. */
  async see(text: string): Promise<void> {
    await this.until(() => this.screen.indexOf(text, this.read) !== -1, JSON.stringify(text))
    this.read = this.screen.indexOf(text, this.read) + text.length
  }

  type(text: string): void {
    this.process.write(text)
  }

  /** Waits for a question and answers it. */
  async answer(question: string, ...keys: string[]): Promise<void> {
    await this.see(question)
    for (const key of keys) this.type(key)
  }

  /** Waits for the end of the program. */
  async exit(): Promise<{ code: number; screen: string }> {
    while (this.ended === null)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    return { code: this.ended, screen: this.screen }
  }
}
