import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { normalize, Sandbox } from './sandbox.ts'

/** A call: as one line, as arguments, or made from what is in the store so far. */
export type Step =
  | string
  | readonly string[]
  | ((sandbox: Sandbox) => readonly string[] | Promise<readonly string[]>)

export interface Pair {
  ours: Sandbox
  official: Sandbox
}

/**
 * Runs the same steps with both programs, each in its own home, and compares after every step: exit code, standard
 * output, standard error (without usage).
 *
 * @param adjust makes known, intended differences of the official program's text equal
 */
export async function runBoth(
  t: TestContext,
  steps: readonly Step[],
  options: { env?: Record<string, string>; adjust?: (text: string) => string } = {},
): Promise<Pair> {
  const pair: Pair = { ours: Sandbox.create(t, 'ours'), official: Sandbox.create(t, 'official') }
  for (const sandbox of [pair.ours, pair.official]) Object.assign(sandbox.env, options.env)
  const adjust = options.adjust ?? ((text: string) => text)
  const differences: unknown[] = []
  for (const step of steps) {
    const [ours, official] = await Promise.all(
      [pair.ours, pair.official].map(async (sandbox) => {
        const args = await argumentsOf(step, sandbox)
        const outcome = await sandbox.run(args)
        return {
          call: normalize(args.join(' '), sandbox),
          code: outcome.code,
          stdout: adjust(normalize(outcome.stdout, sandbox)),
          stderr: adjust(normalize(outcome.stderr, sandbox)),
        }
      }),
    )
    if (!isDeepStrictEqual(ours, official)) differences.push({ ours, official })
  }
  // All at once: the first difference often explains the others.
  assert.deepEqual(differences, [])
  return pair
}

export async function argumentsOf(step: Step, sandbox: Sandbox): Promise<readonly string[]> {
  if (typeof step === 'string') return words(step)
  return typeof step === 'function' ? step(sandbox) : step
}

/** Arguments as a shell would split them: blanks separate, single quotes keep together. */
export function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}
