// Durations as Go writes them.

/** `1h2m3.5s`, `100ms`, `0s`: a duration of nanoseconds. */
export function goDuration(ns: number): string {
  if (ns < 0) return `-${goDuration(-ns)}`
  if (ns === 0) return '0s'
  if (ns < 1000) return `${ns}ns`
  if (ns < 1e6) return `${trim(ns / 1000)}µs`
  if (ns < 1e9) return `${trim(ns / 1e6)}ms`
  const minutes = Math.floor(ns / 60e9)
  const seconds = `${trim((ns - minutes * 60e9) / 1e9, 9)}s`
  if (minutes === 0) return seconds
  const hours = Math.floor(minutes / 60)
  return hours === 0 ? `${minutes}m${seconds}` : `${hours}h${minutes % 60}m${seconds}`
}

const trim = (value: number, digits = 6): string => value.toFixed(digits).replace(/\.?0+$/, '')
