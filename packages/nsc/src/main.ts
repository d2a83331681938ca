import { runNsc } from './index.ts'
import { handleSignals } from './interrupt.ts'

handleSignals()

// A reader that goes away (`nsc list keys | head -1`) is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

// A terminal that goes away while a question is open leaves nothing to wait for: the process would just end.
let done = false
process.once('exit', () => {
  if (done) return
  process.stderr.write('\nError: EOF\n')
  process.exitCode = 1
})

runNsc(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  env: process.env,
  cwd: process.cwd(),
}).then((code) => {
  done = true
  process.exitCode = code
})
