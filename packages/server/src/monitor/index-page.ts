// The page at the root of monitoring: links to the endpoints.
import { VERSION } from '../version.ts'

const LINKS = [
  ['General', '/varz'],
  ['JetStream', '/jsz'],
  ['Connections', '/connz'],
  ['Accounts', '/accountz'],
  ['Account Stats', '/accstatz'],
  ['Subscriptions', '/subsz'],
  ['Routes', '/routez'],
  ['LeafNodes', '/leafz'],
  ['Gateways', '/gatewayz'],
  ['Raft Groups', '/raftz'],
  ['Health Probe', '/healthz'],
  ['Expvar', '/debug/vars'],
] as const

/** @param base the base path without a slash at its end. */
export function indexPage(base: string, withMetrics: boolean): string {
  const links = withMetrics ? [...LINKS, ['Metrics', '/metrics'] as const] : LINKS
  const items = links.map(
    ([title, path]) =>
      `<li><a href=".${base}${path}">${title}<span class="endpoint"> ${path}</span></a></li>`,
  )
  return `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>ngs-server ${VERSION}</title>
    <style>
      body { font: 16px system-ui, sans-serif; margin: 2rem; color: #24344d }
      ul { list-style: none; padding: 0; line-height: 1.9 }
      a { color: inherit; text-decoration: none }
      a:hover { text-decoration: underline }
      .endpoint { color: #8a94a6; font: 0.8em monospace }
    </style>
  </head>
  <body>
    <h1>ngs-server <small>v${VERSION}</small></h1>
    <ul>
      ${items.join('\n      ')}
    </ul>
  </body>
</html>
`
}
