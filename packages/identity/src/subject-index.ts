// Subjects in a tree by tokens, to find those that have something in common with another one without comparing it with each.

class Node {
  next: Map<string, Node> | null = null
  /** Positions of the subjects that end here, or that go on with anything behind `>`. */
  ends: number[] | null = null
  tail: number[] | null = null
}

export class SubjectIndex {
  readonly #root = new Node()

  /** @param position what `overlapping` answers with. */
  add(subject: string, position: number): void {
    const tokens = subject.split('.')
    let node = this.#root
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i]!
      if (token === '>' && i === tokens.length - 1) {
        node.tail ??= []
        node.tail.push(position)
        return
      }
      node.next ??= new Map()
      let child = node.next.get(token)
      if (child === undefined) {
        child = new Node()
        node.next.set(token, child)
      }
      node = child
    }
    node.ends ??= []
    node.ends.push(position)
  }

  /** Positions of the subjects that contain this one, as the rules of claims mean it (isContainedIn), in rising order. */
  containing(subject: string): number[] {
    const found: number[] = []
    climb(this.#root, subject.split('.'), 0, found)
    return found.sort((a, b) => a - b)
  }

  /** Positions of the subjects that have a literal subject in common with this one, in rising order. */
  overlapping(subject: string): number[] {
    const found: number[] = []
    walk(this.#root, subject.split('.'), 0, found)
    return found.sort((a, b) => a - b)
  }
}

function walk(node: Node, tokens: readonly string[], at: number, found: number[]): void {
  if (at === tokens.length) {
    if (node.ends !== null) for (const end of node.ends) found.push(end)
    return
  }
  if (node.tail !== null) for (const end of node.tail) found.push(end)
  if (node.next === null) return
  const token = tokens[at]!
  if (token === '>' && at === tokens.length - 1) {
    for (const child of node.next.values()) everything(child, found)
  } else if (token === '*') {
    for (const child of node.next.values()) walk(child, tokens, at + 1, found)
  } else {
    for (const name of [token, '*']) {
      const child = node.next.get(name)
      if (child !== undefined) walk(child, tokens, at + 1, found)
    }
  }
}

function climb(node: Node, tokens: readonly string[], at: number, found: number[]): void {
  if (at === tokens.length) {
    if (node.ends !== null) for (const end of node.ends) found.push(end)
    return
  }
  if (node.tail !== null) for (const end of node.tail) found.push(end)
  if (node.next === null) return
  const token = tokens[at]!
  const child = node.next.get('*')
  if (child !== undefined) climb(child, tokens, at + 1, found)
  const same = token === '*' ? undefined : node.next.get(token)
  if (same !== undefined) climb(same, tokens, at + 1, found)
}

function everything(node: Node, found: number[]): void {
  if (node.ends !== null) for (const end of node.ends) found.push(end)
  if (node.tail !== null) for (const end of node.tail) found.push(end)
  if (node.next !== null) for (const child of node.next.values()) everything(child, found)
}
