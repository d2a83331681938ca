import { Command, Option } from 'commander'
import { NscError } from '../errors.ts'
import { quote } from '../text.ts'
import { type FlagLookup, FlagValues, firstOperand, lookupIn, parseArguments } from './flags.ts'
import type { CommandSpec, FlagSpec, GroupSpec } from './spec.ts'

/** The flags of every command. */
export const GLOBAL_FLAGS: readonly FlagSpec[] = [
  {
    name: 'private-key',
    short: 'K',
    type: 'text',
    text: 'key that signs: a role (scoped signing keys), a public key whose seed is in the keystore, a seed, or a file with one',
  },
  { name: 'interactive', short: 'i', type: 'switch', text: 'ask for values that are not given' },
  { name: 'config-dir', type: 'text', text: 'folder of nsc.json' },
  { name: 'data-dir', type: 'text', text: 'folder of the operator stores' },
  { name: 'keystore-dir', type: 'text', text: 'folder of the keystore' },
  { name: 'all-dirs', short: 'H', type: 'text', text: 'one folder for configuration, stores and keystore' },
]

/** What the command line asks for. */
export type Invocation =
  | { kind: 'help'; text: string }
  | {
      kind: 'command'
      path: string
      command: CommandSpec
      flags: FlagValues
      args: string[]
      usage: () => string
    }

/** An error in the words of a command, together with the usage to print below it. */
export class CallError extends Error {
  readonly usage: string

  constructor(text: string, usage: string) {
    super(text)
    this.usage = usage
  }
}

/**
 * A commander command with the flag grammar of the official program (flags.ts). Commander keeps the tree, the
 * aliases and the help; values are kept in `values`, shared by a command and those above it.
 */
class GoCommand extends Command {
  specs: readonly FlagSpec[] = []
  values = new FlagValues()
  spec: CommandSpec | null = null
  note: (line: string) => void = () => {}
  chosen: (invocation: Invocation) => void = () => {}

  override createCommand(name?: string): GoCommand {
    return new GoCommand(name)
  }

  configure(specs: readonly FlagSpec[], from: GoCommand | null): this {
    this.specs = specs
    if (from) {
      this.values = from.values
      this.note = from.note
      this.chosen = from.chosen
    }
    this.values.declare(specs)
    for (const spec of specs) this.addOption(describeFlag(spec))
    return this
  }

  /** Finds a flag of this command or of those above it. */
  private lookup: FlagLookup = (name, kind) => {
    for (let command: GoCommand | null = this; command; command = command.parent as GoCommand | null) {
      const spec = lookupIn(command.specs)(name, kind)
      if (spec) return spec
    }
    return null
  }

  override parseOptions(args: string[]): { operands: string[]; unknown: string[] } {
    // Commands of a group have flags of the same name that differ in what they are when not given: those of the
    // command that was chosen count.
    this.values.declare(this.specs)
    const isGroup = this.commands.length > 0
    if (isGroup) {
      const at = firstOperand(args, this.lookup)
      if (at !== -1 && this.hasCommand(args[at] as string))
        return { operands: [args[at] as string], unknown: args.toSpliced(at, 1) }
    }
    const { operands, helpAsked } = this.guard(() =>
      parseArguments(args, this.lookup, this.values, this.note),
    )
    if (helpAsked || isGroup) {
      this.chosen({ kind: 'help', text: this.fullHelp() })
      throw new Chosen()
    }
    return { operands, unknown: [] }
  }

  private hasCommand(name: string): boolean {
    return this.commands.some((command) => command.name() === name || command.aliases().includes(name))
  }

  /** Errors of flags show the usage of the command they belong to, unless it is one that leaves it out. */
  private guard<T>(work: () => T): T {
    try {
      return work()
    } catch (thrown) {
      if (thrown instanceof NscError)
        throw new CallError(thrown.message, this.spec?.quiet ? '' : this.usageText())
      throw thrown
    }
  }

  /** What cannot be right whatever the store holds: the number of arguments, and flags that must be there. */
  checkCall(args: readonly string[]): void {
    const { min = 0, max } = this.spec?.args ?? { max: 0 }
    const fail = (text: string) => {
      throw new CallError(text, this.spec?.quiet ? '' : this.usageText())
    }
    if (min === max && min > 0 && args.length !== min) fail(`accepts ${min} arg(s), received ${args.length}`)
    if (args.length < min) fail(`requires at least ${min} arg(s), only received ${args.length}`)
    if (max !== undefined && args.length > max) fail(`accepts at most ${max} arg(s), received ${args.length}`)
    const missing = (this.spec?.flags ?? []).filter(
      ({ name, required }) => required && !this.values.has(name),
    )
    if (missing.length > 0)
      fail(`required flag(s) ${missing.map(({ name }) => quote(name)).join(', ')} not set`)
  }

  usageText(): string {
    return this.fullHelp().replace(/^(?!Usage:)[\s\S]*?(?=Usage:)/, '')
  }

  fullHelp(): string {
    let text = ''
    const previous = this.configureOutput()
    this.configureOutput({ ...previous, writeOut: (part) => (text += part) })
    this.outputHelp()
    this.configureOutput(previous)
    return text
  }
}

/** Ends the parsing once it is known what to do. */
class Chosen extends Error {}

/** The words that call a command, from the program's name on. */
function pathOf(command: Command): string[] {
  const names: string[] = []
  for (let at: Command | null = command; at; at = at.parent) names.unshift(at.name())
  return names
}

const VALUE_NAMES: Record<FlagSpec['type'], string> = {
  text: ' <text>',
  list: ' <list>',
  switch: '',
  integer: ' <n>',
  byte: ' <n>',
  unsigned: ' <n>',
  number: ' <n>',
  duration: ' <duration>',
  count: '[=n]',
  times: ' <from-to>',
  timestamp: ' <time>',
  zone: ' <zone>',
}

function describeFlag(spec: FlagSpec): Option {
  const shown = `${spec.short ? `-${spec.short}, ` : ''}--${spec.name}${VALUE_NAMES[spec.type]}`
  const fallback = spec.fallback === undefined || spec.fallback === '' ? '' : ` (default ${spec.fallback})`
  const option = new Option(shown.replace('[=n]', ' [n]'), spec.text + fallback)
  if (spec.hidden || spec.deprecated) option.hideHelp()
  return option
}

/** A command of the root, or a group of commands, known by name before its table is loaded. */
export interface Entry {
  name: string
  aliases?: readonly string[]
  summary: string
  hidden?: boolean
  load: () => Promise<GroupSpec | CommandSpec>
}

/**
 * Finds what the arguments ask for.
 *
 * @throws CallError when they ask for nothing that exists
 */
export async function interpret(
  argv: readonly string[],
  entries: readonly Entry[],
  note: (line: string) => void,
): Promise<Invocation> {
  let result: Invocation | null = null
  const root = new GoCommand('nsc')
  root.description('Manage NATS operators, accounts, users and what they may share.')
  root.note = note
  root.chosen = (invocation) => {
    result = invocation
  }
  root.exitOverride()
  root.helpOption('-h, --help', 'show help')
  root.helpCommand(false)
  root.configure(GLOBAL_FLAGS, null)
  root.addOption(new Option('-v, --version', 'show the version'))
  root.configureHelp({ showGlobalOptions: true, helpWidth: 110 })

  // `help add user` is `add user --help`.
  const args = argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv]
  const { wanted, first } = findEntry(args, entries)
  for (const entry of entries) {
    if (entry.hidden && entry !== wanted) continue
    const loaded = entry === wanted ? await entry.load() : { name: entry.name, summary: entry.summary }
    const command = addCommand(root, { ...loaded, ...(entry.hidden ? { hidden: true } : {}) })
    command.aliases([...(entry.aliases ?? [])])
  }
  if (first !== null && wanted === null) throw new CallError(unknownCommand(first, entries), '')
  try {
    await root.parseAsync(args, { from: 'user' })
  } catch (thrown) {
    if (!(thrown instanceof Chosen)) throw thrown
  }
  return result ?? { kind: 'help', text: root.fullHelp() }
}

/** The entry that the first operand names, found before anything else is loaded. */
function findEntry(
  args: readonly string[],
  entries: readonly Entry[],
): { wanted: Entry | null; first: string | null } {
  const first = args[firstOperand(args, lookupIn(GLOBAL_FLAGS))]
  if (first === undefined) return { wanted: null, first: null }
  const wanted = entries.find((entry) => entry.name === first || entry.aliases?.includes(first)) ?? null
  return { wanted, first }
}

function addCommand(
  parent: GoCommand,
  spec: (GroupSpec | CommandSpec | Pick<Entry, 'name' | 'summary'>) & { hidden?: boolean },
): GoCommand {
  const command = parent.command(spec.name, { hidden: spec.hidden ?? false }) as GoCommand
  command.description(spec.summary)
  command.helpOption('-h, --help', 'show help')
  command.helpCommand(false)
  command.exitOverride()
  command.configureHelp({ showGlobalOptions: true, helpWidth: 110 })
  if (!('commands' in spec || 'load' in spec)) return command.configure([], parent)
  command.configure(spec.flags ?? [], parent)
  command.aliases([...(spec.aliases ?? [])])
  if ('commands' in spec) {
    for (const child of spec.commands) addCommand(command, child)
    return command
  }
  command.spec = spec
  command.usage(`[options]${spec.args ? ` ${spec.args.usage}` : ''}`)
  command.allowExcessArguments(true)
  if (spec.examples?.length) command.addHelpText('after', `\nExamples:\n${indent(spec.examples)}`)
  command.action(() => {
    command.checkCall(command.args)
    command.chosen({
      kind: 'command',
      path: pathOf(command).slice(1).join(' '),
      command: spec,
      flags: command.values,
      args: command.args,
      usage: () => command.usageText(),
    })
  })
  return command
}

function indent(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}

function unknownCommand(name: string, entries: readonly Entry[]): string {
  const near = entries.filter((entry) => !entry.hidden && isNear(name, entry.name)).map((entry) => entry.name)
  const hint =
    near.length > 0 ? `\n\nDid you mean this?\n${near.map((entry) => `\t${entry}\n`).join('')}` : ''
  return `unknown command "${name}" for "nsc"${hint}\nRun 'nsc --help' for usage.`
}

/** Two edits apart at most, or the beginning of it. */
function isNear(typed: string, name: string): boolean {
  if (name.startsWith(typed.toLowerCase())) return true
  let row = Array.from({ length: name.length + 1 }, (_, index) => index)
  for (const [i, a] of [...typed.toLowerCase()].entries()) {
    const next = [i + 1]
    for (const [j, b] of [...name].entries())
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (a === b ? 0 : 1)))
    row = next
  }
  return (row.at(-1) ?? 9) <= 2
}
