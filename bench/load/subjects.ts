// Many subjects, by rule, so that publishers and subscribers of different processes agree on them without sending lists
// around. Numbers have a fixed width: every frame of a run has the same length, and that is how deliveries are counted.

/**
 * - `one`: a single subject.
 * - `own`: one for each of `count` receivers.
 * - `forest`: those of `count` mixed subscriptions (literal, `*`, `>`), 256 of them over and over.
 * - `forest-new`: the same subscriptions, and no subject ever comes twice.
 * - `deep`: `count` tokens, the last one new each time.
 * - `rules`: one subject below each of `count` permission rules, the last token new each time.
 */
export type SubjectKind = 'one' | 'own' | 'forest' | 'forest-new' | 'deep' | 'rules'

export interface Subjects {
  readonly kind: SubjectKind
  readonly count: number
}

/** Stands for a number that never comes twice. */
export const SERIAL = 'NNNNNNNN'
const CACHED = 256

const digits = (value: number, width: number): string => `${value}`.padStart(width, '0')
const branch = (index: number): string => `spread.${digits(index % 1000, 3)}`

/** The subscription with this number, of `forest` and `own`. */
export function subscriptionOf({ kind }: Subjects, index: number): string {
  if (kind === 'own') return `spread.${digits(index, 7)}`
  if (kind === 'deep' || kind === 'rules') return 'spread.>'
  if (kind === 'one') return 'spread.one'
  // One of ten has a `*`, one a `>`.
  if (index % 10 === 8) return `${branch(index)}.*.${digits(index, 7)}`
  if (index % 10 === 9) return `${branch(index)}.${digits(index, 7)}.>`
  return `${branch(index)}.${digits(index, 7)}.v`
}

/** One round of subjects, all of one length; with {@link SERIAL} where each message has a number of its own. */
export function subjectsOf(subjects: Subjects): string[] {
  const { kind, count } = subjects
  switch (kind) {
    case 'one':
      return [subscriptionOf(subjects, 0)]
    case 'own':
      return Array.from({ length: count }, (_, i) => subscriptionOf(subjects, i))
    case 'deep':
      return [`spread.${'t.'.repeat(Math.max(0, count - 2))}${SERIAL}`]
    case 'rules':
      return Array.from({ length: count }, (_, i) => `spread.${digits(i, 4)}.${SERIAL}`)
    case 'forest':
      return spread(count, 0).map((index) => subscriptionOf(subjects, index))
    case 'forest-new':
      return spread(count, 9).map((index) => `${branch(index)}.${digits(index, 7)}.${SERIAL}`)
  }
}

/** Up to 256 numbers below `count`, evenly apart, of this sort. */
function spread(count: number, sort: number): number[] {
  const tens = Math.max(1, Math.floor(count / 10))
  const some = Math.min(CACHED, tens)
  return Array.from({ length: some }, (_, i) => Math.floor((i * tens) / some) * 10 + sort)
}
