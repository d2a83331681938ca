// The header block: `NATS/1.0` line, `Key: Value` lines, empty line. Bytes as latin1 text.

const FIRST = 'NATS/1.0\r\n'

/** The value of a header, its name in any case; undefined when absent. */
export function getHeader(block: string, name: string): string | undefined {
  const wanted = name.toLowerCase()
  for (const line of block.split('\r\n').slice(1)) {
    const colon = line.indexOf(':')
    if (colon > 0 && line.slice(0, colon).toLowerCase() === wanted) return line.slice(colon + 1).trim()
  }
  return undefined
}

/** The block with this header set, whatever it held under that name before. An empty block becomes one. */
export function setHeader(block: string, name: string, value: string): string {
  const wanted = name.toLowerCase()
  if (block === '') return `${FIRST}${name}: ${value}\r\n\r\n`
  const lines = block.split('\r\n')
  const kept = lines.filter(
    (line, i) => i === 0 || (line !== '' && line.slice(0, line.indexOf(':')).toLowerCase() !== wanted),
  )
  return `${kept.join('\r\n')}\r\n${name}: ${value}\r\n\r\n`
}

/** All headers by canonical name (`x-b3-spanid` is `X-B3-Spanid`), values in their order; null when a line is malformed. */
export function canonicalHeaders(block: string): Map<string, string[]> | null {
  const result = new Map<string, string[]>()
  for (const line of block.split('\r\n').slice(1)) {
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0))
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return null
    const canonical = name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '')
    const values = result.get(canonical)
    if (values === undefined) result.set(canonical, [value])
    else values.push(value)
  }
  return result
}

/** True when the flags of a W3C `traceparent` ask for sampling; from 80 on they are out of range for the official server. */
export function isSampledTraceparent(value: string): boolean {
  const parts = value.split('-')
  const flags = parts[3] ?? ''
  return parts.length === 4 && /^[0-7][0-9a-fA-F]$/.test(flags) && (Number.parseInt(flags, 16) & 1) === 1
}
