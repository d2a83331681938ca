// Runs in a thread of its own (bcrypt.ts): compares passwords with their hashes.
import { parentPort } from 'node:worker_threads'
import { compareSync } from 'bcryptjs'
import type { Comparison, Verdict } from './bcrypt.ts'

parentPort!.on('message', ({ id, stored, given }: Comparison) => {
  let matches = false
  try {
    matches = compareSync(given, stored)
  } catch {
    // A hash that only begins like one matches nothing.
  }
  parentPort!.postMessage({ id, matches } satisfies Verdict)
})
