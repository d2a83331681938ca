// The subject index: a trie of tokens. Each level has literal children, one `*` child and one list for `>`.
// match() answers for a literal subject; wildcard characters in it are literal text, as the protocol has it for publishes.

class Node<T> {
  literals: Map<string, Node<T>> | null = null
  star: Node<T> | null = null
  /** Items whose subject ends here. */
  items: T[] = NONE as T[]
  /** Items whose subject has `>` as its next and last token. */
  tail: T[] = NONE as T[]
}

const NONE: unknown[] = []

export class Matcher<T> {
  readonly #root = new Node<T>()
  #size = 0
  /** Rises with every change, so that a kept answer knows when it is old. */
  generation = 1
  /** Since the start. */
  inserts = 0

  get size(): number {
    return this.#size
  }

  insert(subject: string, item: T): void {
    const tokens = subject.split('.')
    let node = this.#root
    const last = tokens.length - 1
    for (let i = 0; i <= last; i++) {
      const token = tokens[i]!
      if (token === '>' && i === last) {
        if (node.tail === NONE) node.tail = []
        node.tail.push(item)
        this.#changed(1)
        return
      }
      if (token === '*') node = node.star ??= new Node<T>()
      else {
        node.literals ??= new Map()
        let next = node.literals.get(token)
        if (next === undefined) {
          next = new Node<T>()
          node.literals.set(token, next)
        }
        node = next
      }
    }
    if (node.items === NONE) node.items = []
    node.items.push(item)
    this.#changed(1)
  }

  /** True when the item was there. Empty branches go with it. */
  remove(subject: string, item: T): boolean {
    const tokens = subject.split('.')
    const path: Node<T>[] = [this.#root]
    const last = tokens.length - 1
    let list: T[] | null = null
    for (let i = 0; i <= last; i++) {
      const node = path[i]!
      const token = tokens[i]!
      if (token === '>' && i === last) {
        list = node.tail
        break
      }
      const next = token === '*' ? node.star : node.literals?.get(token)
      if (next === null || next === undefined) return false
      path.push(next)
    }
    list ??= path[path.length - 1]!.items
    const index = list.indexOf(item)
    if (index < 0) return false
    // The order of subscriptions is unspecified, so the last one fills the gap.
    list[index] = list[list.length - 1]!
    list.pop()
    for (let i = path.length - 1; i > 0; i--) {
      const node = path[i]!
      if (
        node.items.length > 0 ||
        node.tail.length > 0 ||
        node.star !== null ||
        (node.literals?.size ?? 0) > 0
      )
        break
      const parent = path[i - 1]!
      const token = tokens[i - 1]!
      if (token === '*') parent.star = null
      else parent.literals!.delete(token)
    }
    this.#changed(-1)
    return true
  }

  #changed(by: number): void {
    this.#size += by
    if (by > 0) this.inserts++
    this.generation++
  }

  /** Appends every item whose subject matches the literal one. A subject with an empty token matches nothing. */
  match(subject: string, into: T[]): void {
    this.#walk(this.#root, subject, 0, into, into.length)
  }

  /** Every item whose subject matches, in a new list. */
  find(subject: string): T[] {
    const found: T[] = []
    this.#walk(this.#root, subject, 0, found, 0)
    return found
  }

  /** True when of all subjects below this literal one (`stem.x`, any x) that item alone matches some. */
  isOnly(stem: string, item: T): boolean {
    // No subject of the protocol has a NUL, so that only wildcards match this one.
    const found = this.find(`${stem}.\0`)
    if (found.length !== 1 || found[0] !== item) return false
    let nodes: Node<T>[] = [this.#root]
    for (const token of stem.split('.')) {
      nodes = nodes.flatMap((node) =>
        [node.star, node.literals?.get(token)].filter((next): next is Node<T> => next != null),
      )
    }
    return nodes.every((node) => node.literals === null || node.literals.size === 0)
  }

  /** Every item whose subject has a literal subject in common with this one, which may hold wildcards. */
  overlapping(subject: string): T[] {
    const found: T[] = []
    this.#overlap(this.#root, subject.split('.'), 0, found)
    return found
  }

  #overlap(node: Node<T>, tokens: readonly string[], at: number, into: T[]): void {
    if (at === tokens.length) {
      for (const item of node.items) into.push(item)
      return
    }
    for (const item of node.tail) into.push(item)
    const token = tokens[at]!
    if (token === '>' && at === tokens.length - 1) {
      for (const item of below(node)) into.push(item)
      return
    }
    if (node.star !== null) this.#overlap(node.star, tokens, at + 1, into)
    if (node.literals === null) return
    if (token === '*') for (const next of node.literals.values()) this.#overlap(next, tokens, at + 1, into)
    else {
      const next = node.literals.get(token)
      if (next !== undefined) this.#overlap(next, tokens, at + 1, into)
    }
  }

  /** True as soon as one item matches. */
  matches(subject: string): boolean {
    const found: T[] = []
    this.match(subject, found)
    return found.length > 0
  }

  #walk(start: Node<T>, subject: string, from: number, into: T[], base: number): boolean {
    let node = start
    let position = from
    for (;;) {
      let end = subject.indexOf('.', position)
      const last = end < 0
      if (last) end = subject.length
      if (end === position) {
        into.length = base
        return false
      }
      append(node.tail, into)
      const { star, literals } = node
      if (star !== null) {
        if (last) append(star.items, into)
        else if (!this.#walk(star, subject, end + 1, into, base)) return false
      }
      const next = literals === null ? undefined : literals.get(subject.slice(position, end))
      if (next === undefined) return last || validRest(subject, end + 1, into, base)
      if (last) {
        append(next.items, into)
        return true
      }
      node = next
      position = end + 1
    }
  }

  /** Every item, for monitoring and relinking. */
  *all(): Generator<T> {
    yield* this.#root.items
    yield* this.#root.tail
    yield* below(this.#root)
  }
}

/** Every item with at least one more token than leads to the node, but those of its own `>`. */
function* below<T>(top: Node<T>): Generator<T> {
  const stack: Node<T>[] = []
  const push = (node: Node<T>): void => {
    if (node.star !== null) stack.push(node.star)
    if (node.literals !== null) for (const next of node.literals.values()) stack.push(next)
  }
  push(top)
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    yield* node.items
    yield* node.tail
    push(node)
  }
}

function append<T>(items: readonly T[], into: T[]): void {
  for (let i = 0; i < items.length; i++) into.push(items[i]!)
}

/** Nothing deeper can match, but an empty token behind would void what a `>` above has matched. */
function validRest(subject: string, from: number, into: unknown[], base: number): boolean {
  let start = from
  for (let i = from; i <= subject.length; i++) {
    if (i < subject.length && subject.charCodeAt(i) !== 46) continue
    if (i === start) {
      into.length = base
      return false
    }
    start = i + 1
  }
  return true
}
