// What the two servers say of a configuration file.
import { peer, run } from '@ngs/testkit'
import { ConfigError } from '../src/config/language.ts'
import { readConfigFile } from '../src/config/read.ts'
import { defaultOptions } from '../src/options.ts'

/** What -t says, without the program's name; several errors come in no order there. */
export interface Verdict {
  code: number | null
  lines: string[]
}

const sorted = (text: string): string[] =>
  text
    .replace(/^[a-z]+-server: /, '')
    .split('\n')
    .filter((line) => line !== '')
    .sort()

/** Of ngs-server, without a process. */
export function ours(file: string): Verdict {
  const options = defaultOptions()
  try {
    const { warnings } = readConfigFile(file, options)
    if (warnings.length > 0) return { code: 1, lines: sorted(warnings.join('\n')) }
    return { code: 0, lines: [`configuration file ${file} is valid (${options.configDigest})`] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { code: 1, lines: sorted(error.message) }
  }
}

/** Of the official server. */
export async function official(file: string): Promise<Verdict> {
  const { code, stderr } = await run(peer('nats-server'), ['-t', '-c', file])
  return { code, lines: sorted(stderr) }
}
