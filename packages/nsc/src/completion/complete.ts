import type { Entry } from '../cli/program.ts'
import { GLOBAL_FLAGS } from '../cli/program.ts'
import { type CommandSpec, type FlagSpec, type GroupSpec, isGroup } from '../cli/spec.ts'
import type { Io } from '../io.ts'
import type { WordContext } from './values.ts'

/** One way to go on, with what it is for. */
export interface Candidate {
  value: string
  text: string
}

/** What can stand at the cursor. `files`: names of files, which the shell knows best. */
export interface Completion {
  candidates: Candidate[]
  files: boolean
}

const NOTHING: Completion = { candidates: [], files: false }

/** How far a command line has got. */
interface Position {
  /** `add user`; empty before the first command. */
  path: string
  /** What may follow; null once a command is complete. */
  commands: readonly { name: string; summary: string }[] | null
  command: CommandSpec | null
  flags: readonly FlagSpec[]
  given: Map<string, string>
  operands: string[]
  /** The flag that the next word belongs to. */
  pending: FlagSpec | null
}

/**
 * Finds what can stand at the end of a command line.
 *
 * @param words the words after the program's name; the last one is being typed and may be empty
 */
export async function complete(
  words: readonly string[],
  entries: readonly Entry[],
  io: Io,
): Promise<Completion> {
  const line = joinAssignments(words)
  const current = line.at(-1) ?? ''
  const position = await walk(line.slice(0, -1), entries)
  if (position.pending) return values(position, position.pending, current, io)
  if (current.startsWith('-')) {
    const assignment = /^--([\w-]+)=(.*)$/.exec(current)
    const flag = position.flags.find(({ name }) => name === assignment?.[1])
    if (!assignment) return flagsFrom(position, current)
    return flag ? values(position, flag, assignment[2] ?? '', io) : NOTHING
  }
  if (position.commands !== null)
    return {
      candidates: position.commands
        .filter(({ name }) => name.startsWith(current))
        .map(({ name, summary }) => ({ value: name, text: summary })),
      files: false,
    }
  return values(position, null, current, io)
}

/** Bash takes `--name=x` apart at the equals sign. */
function joinAssignments(words: readonly string[]): string[] {
  const joined: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (word === '=' && joined.at(-1)?.startsWith('--')) joined.push(`${joined.pop()}=${words[++at] ?? ''}`)
    else joined.push(word)
  }
  return joined
}

async function walk(words: readonly string[], entries: readonly Entry[]): Promise<Position> {
  const visible = entries.filter(({ hidden }) => !hidden)
  const position: Position = {
    path: '',
    commands: visible,
    command: null,
    flags: GLOBAL_FLAGS,
    given: new Map(),
    operands: [],
    pending: null,
  }
  let group: GroupSpec | null = null
  for (const word of words) {
    if (position.pending) {
      position.given.set(position.pending.name, word)
      position.pending = null
    } else if (word.startsWith('-') && word.length > 1) takeFlag(position, word)
    else if (position.command) position.operands.push(word)
    else if (group) {
      const chosen = group.commands.find(({ name, aliases }) => isNamed(word, name, aliases))
      if (!chosen) return { ...position, commands: [] }
      group = take(position, chosen)
    } else {
      const entry = entries.find(({ name, aliases }) => isNamed(word, name, aliases))
      if (!entry) return { ...position, commands: [] }
      group = take(position, { ...(await entry.load()), name: entry.name })
    }
  }
  return position
}

function isNamed(word: string, name: string, aliases: readonly string[] = []): boolean {
  return word === name || aliases.includes(word)
}

/** Goes on to a group, which is returned, or to a command, which ends the words that choose one. */
function take(position: Position, spec: CommandSpec | GroupSpec): GroupSpec | null {
  position.path = `${position.path} ${spec.name}`.trim()
  position.flags = [...(spec.flags ?? []), ...position.flags]
  if (isGroup(spec)) {
    position.commands = spec.commands.filter((child) => isGroup(child) || !child.hidden)
    return spec
  }
  position.commands = null
  position.command = spec
  return null
}

function takeFlag(position: Position, word: string): void {
  const [name = '', value] = word.replace(/^--?/, '').split(/=(.*)/s)
  const isLong = word.startsWith('--')
  const flag = position.flags.find((spec) => (isLong ? spec.name === name : spec.short === name.at(-1)))
  if (!flag) return
  if (value !== undefined) position.given.set(flag.name, value)
  else if (flag.type === 'switch' || flag.type === 'count') position.given.set(flag.name, 'true')
  else position.pending = flag
}

function flagsFrom({ flags, given }: Position, current: string): Completion {
  const repeatable = (flag: FlagSpec) => flag.type === 'list' || flag.type === 'times'
  const candidates = flags
    .filter((flag) => !flag.hidden && !flag.deprecated && (repeatable(flag) || !given.has(flag.name)))
    .map(({ name, text }) => ({ value: `--${name}`, text }))
    .concat({ value: '--help', text: 'show help' })
    .filter(({ value }) => value.startsWith(current))
  return { candidates, files: false }
}

/** Values of a flag, or of the argument of a command. Code and store are looked at only now. */
async function values(
  position: Position,
  flag: FlagSpec | null,
  current: string,
  io: Io,
): Promise<Completion> {
  const { valuesOf } = await import('./values.ts')
  const context: WordContext = {
    path: position.path,
    flag: flag?.name ?? null,
    operands: position.operands.length,
    given: position.given,
  }
  const found = valuesOf(context, io)
  // Lists go on behind the comma; names in them are offered with what stands before.
  const head = flag?.type === 'list' ? current.slice(0, current.lastIndexOf(',') + 1) : ''
  const candidates = found.candidates
    .map(({ value, text }) => ({ value: head + value, text }))
    .filter(({ value }) => value.startsWith(current))
  return { candidates, files: found.files }
}
