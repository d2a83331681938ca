import { ENTRIES } from '../cli/registry.ts'
import type { Io } from '../io.ts'
import { complete } from './complete.ts'

/** `__complete [--no-descriptions] [--quoted] -- WORDS...`: what completion scripts ask. Mistakes are answered by nothing. */
export async function printCompletions(args: readonly string[], io: Io): Promise<number> {
  const start = args.indexOf('--')
  const options = args.slice(0, Math.max(start, 0))
  const plain = options.includes('--no-descriptions')
  const words = args.slice(start + 1)
  const { candidates, files } = await complete(
    options.includes('--quoted') ? words.map(unquote) : words,
    ENTRIES,
    io,
  )
  for (const { value, text } of candidates)
    io.stdout.write(plain || text === '' ? `${value}\n` : `${value}\t${text.replace(/\s+/g, ' ')}\n`)
  io.stdout.write(files ? ':files\n' : ':none\n')
  return 0
}

/** A word as a shell reads it; a quote that is not closed yet counts. */
function unquote(word: string): string {
  return word.replace(
    /\\(.)|'([^']*)'?|"((?:\\.|[^"\\])*)"?/g,
    (_, escaped, single, double) => escaped ?? single ?? (double as string).replace(/\\(["\\$`])/g, '$1'),
  )
}
