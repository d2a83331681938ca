// When the certificate of a listener ends, for monitoring.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { TlsOptions } from './options.ts'

/** Options are made anew at each reload, which reads the files anew, too. */
const known = new WeakMap<TlsOptions, string | undefined>()

/** RFC 3339 in whole seconds, as certificates have it; undefined without TLS, or when the file is not readable any more. */
export function certificateEnd(tls: TlsOptions | null): string | undefined {
  const file = tls?.certificates[0]?.certFile
  if (tls === null || file === undefined) return undefined
  if (known.has(tls)) return known.get(tls)
  let end: string | undefined
  try {
    end = new X509Certificate(readFileSync(file)).validToDate.toISOString().replace(/\.\d+Z$/, 'Z')
  } catch {
    // What the listener uses was read before.
  }
  known.set(tls, end)
  return end
}
