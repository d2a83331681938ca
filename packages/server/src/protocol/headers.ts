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
