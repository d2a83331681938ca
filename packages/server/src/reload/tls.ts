// The reload of the client port's TLS: new connections get the certificates and rules that are there now.
import { isDeepStrictEqual } from 'node:util'
import { goDuration } from '../duration.ts'
import { useTls } from '../setup.ts'
import { isPinned, TlsAcceptor } from '../tls/acceptor.ts'
import { defaultTlsOptions, handshakeTimeout, type TlsOptions } from '../tls/options.ts'
import { type Effect, type Reload, refuse } from './rule.ts'

export function reloadTls(before: TlsOptions | null, after: TlsOptions | null, _reload: Reload): Effect {
  if (before === null && after === null) return {}
  const [old, now] = [before ?? defaultTlsOptions(), after ?? defaultTlsOptions()]
  if (old.map !== now.map) refuse('TLSMap', `${old.map}`, `${now.map}`)
  if (old.rateLimit !== now.rateLimit) refuse('TLSRateLimit', `${old.rateLimit}`, `${now.rateLimit}`)
  // Reads the files: what cannot be used refuses the reload.
  const acceptor = after === null ? null : new TlsAcceptor(after)
  const pinsChanged = !isDeepStrictEqual(old.pinnedCerts, now.pinnedCerts)
  const says = [`Reloaded: tls = ${after === null ? 'disabled' : 'enabled'}`]
  if (old.timeout !== now.timeout) says.push(`Reloaded: tls timeout = ${handshakeTimeout(now) / 1000}`)
  if (pinsChanged) says.push(`Reloaded: ${now.pinnedCerts.length} pinned_certs`)
  if (old.handshakeFirst !== now.handshakeFirst)
    says.push(`Reloaded: Client TLS handshake first: ${now.handshakeFirst}`)
  if (old.fallbackDelay !== now.fallbackDelay)
    says.push(`Reloaded: Client TLS handshake first fallback delay: ${goDuration(now.fallbackDelay * 1e6)}`)
  return {
    says,
    apply: async (server) => {
      await useTls(server, acceptor)
      server.listeners.monitoring?.renewTls?.()
      if (!pinsChanged || acceptor === null) return
      const unpinned = [...server.clients.values()].filter(
        ({ transport }) => transport.type === 'STANDARD' && !isPinned(now, transport.tls?.certificate),
      )
      if (unpinned.length === 0) return
      server.log.info(`Disconnect ${unpinned.length} clients due to pinned certs reload`)
      for (const client of unpinned) client.close('TLS Handshake Failure')
    },
  }
}
