// Quantities for people. Plans count in powers of a thousand for data and of 1024 for messages, as people know them.

/** 1000000000 -> `1 GB`; -1 is unlimited. */
export function dataText(bytes: number): string {
  return scaled(bytes, 1000)
}

/** 1024 -> `1 KB`; -1 is unlimited. */
export function sizeText(bytes: number): string {
  return scaled(bytes, 1024)
}

function scaled(bytes: number, base: number): string {
  if (bytes < 0) return 'unlimited'
  let value = bytes
  let unit = 0
  const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB']
  while (value >= base && unit < units.length - 1) {
    value /= base
    unit++
  }
  return `${Number.isInteger(value) ? value : value.toPrecision(3)} ${units[unit]}`
}

/** 1000 -> `1,000`; -1 is unlimited. */
export function countText(count: number): string {
  return count < 0 ? 'unlimited' : count.toLocaleString('en-US')
}

/** `1 message`, `2 messages`. */
export function messagesText(count: number): string {
  return `${countText(count)} message${count === 1 ? '' : 's'}`
}

/** 0 -> `free`, 19 -> `19 USD`, 9.5 -> `9.50 USD`. */
export function priceText(price: number, currency: string): string {
  if (price === 0) return 'free'
  return `${Number.isInteger(price) ? price : price.toFixed(2)} ${currency}`
}

const BAR = 24

/** How much of a limit is used: a bar and a percentage; nothing for what has no limit. */
export function bar(used: number, limit: number): { text: string; part: number } {
  if (limit < 0) return { text: '', part: 0 }
  const part = limit === 0 ? (used > 0 ? 1 : 0) : used / limit
  // Anything used shows, and only a full limit fills the bar.
  let filled = Math.min(BAR, Math.floor(part * BAR))
  if (filled === 0 && used > 0) filled = 1
  return { text: `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${percent(part)}`, part }
}

function percent(part: number): string {
  if (part > 0 && part < 0.01) return '<1 %'
  return `${Math.floor(part * 100)} %`
}
