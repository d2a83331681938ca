// What a reload does about an option: the words that plain.ts and blocks.ts are written in.
import type { Options } from '../options.ts'
import { quoteText } from '../quote.ts'
import type { Server } from '../server.ts'

/** A reload that cannot be: nothing has been changed. The text is for the log and the RELOAD request. */
export class ReloadRefused extends Error {}

/** What is rebuilt after everything has been applied, once however many options ask for it, in this order. */
export const REBUILDS = ['logging', 'tracing', 'authorization', 'statsz'] as const
export type Rebuild = (typeof REBUILDS)[number]

export interface Effect {
  /** Lines for the log, before it is rebuilt. */
  readonly says?: readonly string[]
  /** Makes the change on what runs already. `server.options` are the new ones by then, `before` the old ones. May not refuse any more. */
  readonly apply?: (server: Server, before: Options) => void | Promise<void>
  readonly rebuilds?: readonly Rebuild[]
}

export interface Reload {
  readonly server: Server
  readonly before: Options
  readonly after: Options
}

/** Judges the change of one field, before anything is applied. @throws ReloadRefused. */
export type Rule<F extends keyof Options> = (before: Options[F], after: Options[F], reload: Reload) => Effect

/** The official text for a change that needs a restart. `name` is what the official server calls the option. */
export function refuse(name: string, before: string, after: string): never {
  throw new ReloadRefused(`config reload not supported for ${name}: old=${before}, new=${after}`)
}

/** As Go prints a list of strings. */
export const quotedList = (items: readonly string[]): string =>
  `[${items.map((item) => quoteText(item)).join(' ')}]`
