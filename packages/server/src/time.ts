// Times as the official server writes them.

/** RFC 3339 in UTC. */
export const utc = (at: Date | number = Date.now()): string =>
  (typeof at === 'number' ? new Date(at) : at).toISOString()

/** RFC 3339 in the zone of the host, for the times that the official server gives in it. */
export function local(at: Date | number): string {
  const date = typeof at === 'number' ? new Date(at) : at
  const offset = -date.getTimezoneOffset()
  if (offset === 0) return date.toISOString()
  const shifted = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, -1)
  const two = (value: number): string => `${value}`.padStart(2, '0')
  const minutes = Math.abs(offset)
  return `${shifted}${offset < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
