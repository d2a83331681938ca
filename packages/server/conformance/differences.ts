// Where ngs-server means to differ from the official server, and why. docs/server.md shows this list; a test compares the two.

export interface Difference {
  readonly what: string
  readonly here: string
  readonly why: string
}

export const DIFFERENCES: readonly Difference[] = [
  {
    what: 'reordering imports of three or more wildcards, subscribed by a narrower subject',
    here: 'the subject is mapped back exactly; the official server does so for swaps only',
    why: 'the subscriber would hear nothing, or the wrong messages',
  },
  {
    what: 'closing a connection after an error',
    here: 'the connection is half-closed and drained, so that the last `-ERR` always arrives',
    why: 'a reset may overtake the text that says what was wrong',
  },
  {
    what: '`go` in INFO and `/varz`',
    here: 'the version of Node',
    why: 'there is no Go in here; tools show the field as the run time',
  },
]
