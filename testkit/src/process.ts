import { spawn } from 'node:child_process'
import { createServer } from 'node:net'

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** Runs a program to its end. @throws when it cannot be started or takes longer than `timeout` ms (two minutes). */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; input?: string; timeout?: number } = {},
): Promise<Outcome> {
  const { timeout = 120_000, input = '' } = options
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      ...(options.env ? { env: options.env } : {}),
      ...(options.cwd ? { cwd: options.cwd } : {}),
    })
    let stdout = ''
    let stderr = ''
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${command} ${args.join(' ')} took longer than ${timeout} ms\n${stdout}${stderr}`))
    }, timeout)
    child.stdout.on('data', (chunk) => {
      stdout += chunk
    })
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, stdout, stderr })
    })
  })
}

/** Below where systems take the ports of outgoing connections and of listeners that ask for any: nobody gets one of these by chance. */
const FIRST_PORT = 10_000
const PORTS = 20_000

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    const attempt = (): void => {
      server.listen(FIRST_PORT + Math.floor(Math.random() * PORTS), '127.0.0.1')
    }
    // Taken: the next one.
    server.on('error', attempt)
    server.on('listening', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
    attempt()
  })
}
