import type { Io } from '../io.ts'

/** An operator that is known by name: where its token can be fetched. */
export interface WellKnownOperator {
  name: string
  url: string
}

const PREFIX = 'NSC_'
const SUFFIX = '_OPERATOR'

/** Where the service listens when nothing else is said. */
const DEFAULT_SERVICE_URL = 'http://localhost:8228'

/**
 * `ngs`, `synadia`, and every `NSC_<name>_OPERATOR=<url>` of the environment; the first of a name counts. `ngs` is
 * at `$NGS_URL`, else at `$NSC_ngs_OPERATOR`, else the service on this machine.
 */
export function wellKnownOperators(env: Io['env']): WellKnownOperator[] {
  const known: WellKnownOperator[] = []
  if (env['NGS_URL']) known.push({ name: 'ngs', url: operatorUrl(env['NGS_URL']) })
  known.push({ name: 'synadia', url: 'https://api.synadia.io/jwt/v1/operator' })
  for (const [variable, url] of Object.entries(env)) {
    const key = variable.toUpperCase()
    if (url && key.length > PREFIX.length + SUFFIX.length && key.startsWith(PREFIX) && key.endsWith(SUFFIX))
      known.push({ name: variable.slice(PREFIX.length, -SUFFIX.length), url })
  }
  if (!known.some(({ name }) => name.toLowerCase() === 'ngs'))
    known.push({ name: 'ngs', url: operatorUrl(DEFAULT_SERVICE_URL) })
  return known
}

function operatorUrl(service: string): string {
  return `${service.replace(/\/+$/, '')}/jwt/v1/operator`
}

/** The well-known operator of that name, whatever the case. */
export function findWellKnown(env: Io['env'], name: string): WellKnownOperator | null {
  return wellKnownOperators(env).find((known) => known.name.toLowerCase() === name.toLowerCase()) ?? null
}

/**
 * The name of the store for an operator fetched from `url`: that of the well-known operator on the same host (ports
 * do not count), else the name in its token. The port does count for `localhost`, where many things live.
 */
export function storeNameFor(env: Io['env'], url: string, claimName: string): string {
  const host = hostOf(url)
  const known = wellKnownOperators(env).find((operator) => host !== null && hostOf(operator.url) === host)
  return known?.name ?? claimName
}

function hostOf(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { hostname, host } = new URL(url)
  return (hostname === 'localhost' ? host : hostname).toLowerCase()
}

/** What to try when the operator at `url` cannot be reached; empty when nothing is known about it. */
export function unreachableHint(env: Io['env'], url: string): string {
  if (findWellKnown(env, 'ngs')?.url !== url) return ''
  return env['NGS_URL']
    ? ' - check $NGS_URL: it must be the URL of the service'
    : ' - start NGS on this machine with: ngs up; or set NGS_URL to where it runs'
}
