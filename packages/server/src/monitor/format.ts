// How monitoring writes times.

/** `1y2d3h4m5s`: the larger units only when they are not zero. */
export function uptime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3600),
    Math.floor(seconds / 86_400),
  ]
  const years = Math.floor(days / 365)
  if (years > 0) return `${years}y${days % 365}d${hours % 24}h${minutes % 60}m${seconds % 60}s`
  if (days > 0) return `${days}d${hours % 24}h${minutes % 60}m${seconds % 60}s`
  if (hours > 0) return `${hours}h${minutes % 60}m${seconds % 60}s`
  if (minutes > 0) return `${minutes}m${seconds % 60}s`
  return `${seconds}s`
}
