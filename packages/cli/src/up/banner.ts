import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_URL } from '../api/client.ts'
import { painter } from '../output/paint.ts'
import type { Urls } from './addresses.ts'

const NAMES: Record<keyof Urls, string> = {
  nats: 'clients',
  websocket: 'WebSocket',
  monitoring: 'monitoring',
  http: 'service',
}

/** What `ngs up` prints when everything is ready: where things are, and what to type next. */
export function bannerText(urls: Urls, dataDir: string, colour: boolean): string {
  const paint = painter(colour)
  const lines = ['', paint('bold', 'NGS is ready.'), '']
  for (const [key, url] of Object.entries(urls)) lines.push(`  ${NAMES[key as keyof Urls].padEnd(12)}${url}`)
  lines.push(`  ${'data'.padEnd(12)}${dataDir}`, '', 'Next, in another terminal:', '')
  const bin = commandFolder()
  if (bin !== null) lines.push(`  export PATH="${bin}:$PATH"`)
  if (urls.http !== DEFAULT_URL) lines.push(`  export NGS_URL=${urls.http}`)
  for (const command of ['nsc init -o ngs -n First', 'nsc tool req ngs.echo hello', 'ngs status']) {
    lines.push(`  ${paint('bold', command)}`)
  }
  lines.push('', paint('dim', 'Ctrl-C stops everything.'), '')
  return lines.join('\n')
}

/** The folder that npm has put `ngs` and `nsc` in, or null where they are installed for everybody. */
function commandFolder(): string | null {
  const folder = join(import.meta.dirname, '../../../../node_modules/.bin')
  return existsSync(join(folder, 'ngs')) ? folder : null
}
