// Permissions, the slow and obvious way: what the tests hold the servers to.

export interface Lists {
  allow: string[]
  deny: string[]
}
export interface Rules {
  publish: Lists
  subscribe: Lists
}

/** Does a subject fall under an entry? Wildcards of the subject are words like others, which only wildcards of the entry cover. */
export function covers(entry: string, subject: string): boolean {
  const wanted = entry.split('.')
  const given = subject.split('.')
  for (const [i, token] of wanted.entries()) {
    if (token === '>') return given.length > i
    if (i >= given.length || (token !== '*' && token !== given[i])) return false
  }
  return given.length === wanted.length
}

/** Is there a literal subject that falls under both? */
function meet(a: string, b: string): boolean {
  const [one, two] = [a.split('.'), b.split('.')]
  for (let i = 0; ; i++) {
    if (one[i] === '>') return two.length > i
    if (two[i] === '>') return one.length > i
    if (i === one.length || i === two.length) return one.length === two.length
    if (one[i] !== '*' && two[i] !== '*' && one[i] !== two[i]) return false
  }
}

const split = (entry: string): { subject: string; queue: string | undefined } => {
  const [subject = '', queue] = entry.split(' ')
  return { subject, queue }
}
const fitting = (list: string[], subject: string) =>
  list.map(split).filter((entry) => covers(entry.subject, subject))

export function mayPublish({ publish: { allow, deny } }: Rules, subject: string): boolean {
  if (allow.length > 0 && !allow.some((entry) => covers(entry, subject))) return false
  return !deny.some((entry) => covers(entry, subject))
}

export function maySubscribe({ subscribe: { allow, deny } }: Rules, subject: string, queue = ''): boolean {
  const inQueue = ({ queue: entry }: { queue: string | undefined }): boolean =>
    entry !== undefined && queue !== '' && covers(entry, queue)
  if (allow.length > 0) {
    const found = fitting(allow, subject)
    const named = found.filter((entry) => entry.queue !== undefined)
    const allowed =
      queue !== '' && named.length > 0
        ? named.some(inQueue)
        : found.some((entry) => entry.queue === undefined)
    if (!allowed) return false
  }
  return !fitting(deny, subject).some((entry) => entry.queue === undefined || inQueue(entry))
}

/** Does a subscription that was accepted get a message? */
export function receives(rules: Rules, subscription: string, queue: string, subject: string): boolean {
  if (!covers(subscription, subject)) return false
  const { deny } = rules.subscribe
  const filtered =
    (queue !== '' || /[*>]/.test(subscription)) &&
    deny.some((entry) => meet(split(entry).subject, subscription))
  if (!filtered) return true
  return !fitting(deny, subject).some(
    (entry) => entry.queue === undefined || (queue !== '' && covers(entry.queue, queue)),
  )
}
