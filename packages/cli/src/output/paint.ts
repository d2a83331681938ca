const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const

export type Paint = (style: keyof typeof CODES, text: string) => string

/** Colours text, or leaves it as it is. */
export function painter(colour: boolean): Paint {
  return (style, text) => (colour ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text)
}
