// The `tls` block, in the words of the official server about what is wrong with it.

import { quoteText } from '../quote.ts'
import { TlsError, tlsServerOptions } from '../tls/context.ts'
import { type CertificatePair, defaultTlsOptions, type TlsOptions } from '../tls/options.ts'
import { CIPHER_SUITES, CURVES, isOffered } from '../tls/suites.ts'
import type { ConfigValue } from './language.ts'
import {
  asList,
  asMap,
  asString,
  DurationError,
  fail,
  goType,
  isInteger,
  isString,
  parseDuration,
  shown,
} from './values.ts'

const PREFIX = 'error parsing tls config,'
const PIN = /^[0-9a-f]{64}$/
const PIN_SHAPE = 'hex-encoded sha256 of DER encoded SubjectPublicKeyInfo'
/** What `auto` waits before INFO goes out in clear text. */
const AUTO_DELAY_MS = 50

/** Reads the block and its files. @throws ConfigError at the first thing that is wrong, as the official server stops there. */
export function readTls(block: ConfigValue): TlsOptions {
  const tls = defaultTlsOptions()
  let certFile = ''
  let keyFile = ''
  let allowInsecure = false
  let ciphers: readonly ConfigValue[] = []
  for (const [name, value] of asMap(block)) {
    switch (name.toLowerCase()) {
      case 'cert_file':
        certFile = file(value, 'cert_file')
        break
      case 'key_file':
        keyFile = file(value, 'key_file')
        break
      case 'ca_file':
        tls.caFile = file(value, 'ca_file')
        break
      case 'certs':
      case 'certificates':
        tls.certificates = readPairs(value, block)
        break
      case 'insecure':
        // For connections that a server opens.
        tls.insecure = flag(value, 'insecure')
        break
      case 'verify':
        tls.verify = flag(value, 'verify')
        break
      case 'verify_and_map':
        tls.map = flag(value, 'verify_and_map')
        if (tls.map) tls.verify = true
        break
      case 'verify_cert_and_check_known_urls':
        if (flag(value, 'verify_cert_and_check_known_urls'))
          fail(value, 'verify_cert_and_check_known_urls not supported in this context')
        break
      case 'allow_insecure_cipher_suites':
        allowInsecure = flag(value, 'allow_insecure_cipher_suites')
        break
      case 'cipher_suites':
        ciphers = asList(value)
        tls.cipherSuites = readCiphers(value)
        break
      case 'curve_preferences':
        tls.curves = readCurves(value)
        break
      case 'timeout':
        tls.timeout = readTimeout(value)
        break
      case 'connection_rate_limit':
        if (!isInteger(value)) fail(value, `${PREFIX} 'connection_rate_limit' wrong type`)
        tls.rateLimit = Number(value.value)
        break
      case 'pinned_certs':
        tls.pinnedCerts = readPins(value)
        break
      case 'handshake_first':
      case 'first':
      case 'immediate':
        readHandshakeFirst(name, value, tls)
        break
      case 'min_version':
        tls.minVersion = readMinVersion(value)
        break
      case 'ocsp_peer':
        readOcspPeer(value)
        break
      case 'cert_store':
        if (!isString(value) || value.value === '')
          fail(value, "expected 'cert_store' to be a valid non-empty string")
        if (!/^windows(currentuser|localmachine)$/i.test(value.value))
          fail(value, 'cert store type not implemented')
        fail(value, 'cert_store not compatible with current operating system')
        break
      case 'cert_match_by':
        if (!isString(value) || value.value === '')
          fail(value, "expected 'cert_match_by' to be a valid non-empty string")
        if (!/^(subject|issuer|thumbprint)$/i.test(value.value))
          fail(value, 'cert match by type not implemented')
        break
      case 'cert_match':
        if (!isString(value) || value.value === '')
          fail(value, "expected 'cert_match' to be a valid non-empty string")
        break
      case 'cert_match_skip_invalid':
        if (typeof value.value !== 'boolean')
          fail(value, "expected 'cert_match_skip_invalid' to be a boolean")
        break
      case 'ca_certs_match':
        if (Array.isArray(value.value) && !value.value.every(isString)) {
          fail(value, 'error parsing ca_cert_match: unsupported type *conf.token where string is expected')
        }
        break
      default:
        fail(value, `${PREFIX} unknown field ${quoteText(name)}`)
    }
  }
  if (tls.certificates.length > 0 && certFile !== '')
    fail(block, `${PREFIX} cannot combine 'cert_file' option with 'certs' option`)
  const insecure = tls.cipherSuites.filter((name) => CIPHER_SUITES[name]!.insecure)
  if (!allowInsecure && insecure.length > 0) {
    fail(
      block,
      `insecure cipher suites configured without 'allow_insecure_cipher_suites' option set: ${insecure.join(', ')}`,
    )
  }
  for (const item of ciphers) {
    const name = asString(item)
    if (!isOffered(CIPHER_SUITES[name]!))
      fail(item, `cipher ${name} is too weak: the TLS library of this server does not have it`)
  }
  if (certFile !== '' && keyFile === '') fail(block, "missing 'key_file' in TLS configuration")
  if (certFile === '' && keyFile !== '') fail(block, "missing 'cert_file' in TLS configuration")
  if (certFile !== '') tls.certificates = [{ certFile, keyFile }]
  checkFiles(block, tls)
  return tls
}

function checkFiles(block: ConfigValue, tls: TlsOptions): void {
  try {
    tlsServerOptions(tls)
  } catch (error) {
    if (!(error instanceof TlsError)) throw error
    fail(block, error.message)
  }
}

function file(value: ConfigValue, key: string): string {
  return isString(value) ? value.value : fail(value, `${PREFIX} expected '${key}' to be filename`)
}
function flag(value: ConfigValue, key: string): boolean {
  return typeof value.value === 'boolean'
    ? value.value
    : fail(value, `${PREFIX} expected '${key}' to be a boolean`)
}

function readPairs(list: ConfigValue, block: ConfigValue): CertificatePair[] {
  const unsupported = (at: ConfigValue, what: ConfigValue): never =>
    fail(at, `error parsing certificates config: unsupported type ${goType(what)}`)
  if (!Array.isArray(list.value)) return unsupported(list, block)
  return list.value.map((item) => {
    if (!(item.value instanceof Map)) return unsupported(item, item)
    let certFile = ''
    let keyFile = ''
    let last = item
    for (const [name, value] of item.value) {
      last = value
      if (!isString(value)) return unsupported(value, value)
      if (name === 'cert_file') certFile = value.value
      else if (name === 'key_file') keyFile = value.value
      else fail(value, `error parsing tls certs config, unknown field ${quoteText(name)}`)
    }
    if (certFile === '' || keyFile === '')
      fail(last, "error parsing certificates config: both 'cert_file' and 'cert_key' options are required")
    return { certFile, keyFile }
  })
}

function readCiphers(value: ConfigValue): string[] {
  const items = asList(value)
  if (items.length === 0) fail(value, `${PREFIX} 'cipher_suites' cannot be empty`)
  return items.map((item) => {
    const name = asString(item)
    const suite = Object.hasOwn(CIPHER_SUITES, name) ? CIPHER_SUITES[name] : undefined
    return suite === undefined ? fail(item, `unrecognized cipher ${name}`) : name
  })
}

function readCurves(value: ConfigValue): string[] {
  const items = asList(value)
  if (items.length === 0) fail(value, `${PREFIX} 'curve_preferences' cannot be empty`)
  return items.map((item) => {
    const name = asString(item)
    return Object.hasOwn(CURVES, name) ? name : fail(item, `unrecognized curve preference ${name}`)
  })
}

/** Only off: nothing here asks a responder for the state of certificates. */
function readOcspPeer(value: ConfigValue): void {
  const verify = value.value instanceof Map ? value.value.get('verify')?.value : value.value
  if (verify !== false) fail(value, '"ocsp_peer" is not supported yet')
}

function readTimeout(value: ConfigValue): number {
  if (typeof value.value === 'number' || typeof value.value === 'bigint') return Number(value.value) * 1000
  if (!isString(value)) return fail(value, `${PREFIX} 'timeout' wrong type`)
  try {
    return parseDuration(value.value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    return fail(value, `${PREFIX} 'timeout' ${error.message}`)
  }
}

function readPins(value: ConfigValue): string[] {
  if (!Array.isArray(value.value))
    return fail(value, `${PREFIX} expected 'pinned_certs' to be a list of ${PIN_SHAPE}`)
  return value.value.map((item) => {
    const pin = asString(item).toLowerCase()
    return PIN.test(pin)
      ? pin
      : fail(item, `${PREFIX} 'pinned_certs' key ${pin} does not look like ${PIN_SHAPE}`)
  })
}

function readHandshakeFirst(name: string, value: ConfigValue, tls: TlsOptions): void {
  if (typeof value.value === 'boolean') {
    tls.handshakeFirst = value.value
    return
  }
  if (!isString(value))
    return fail(value, `field ${quoteText(name)} should be a boolean or a string, got ${goType(value)}`)
  const word = value.value.toLowerCase()
  tls.handshakeFirst = word !== 'false' && word !== 'off'
  if (['true', 'on', 'false', 'off'].includes(word)) return
  if (word === 'auto' || word === 'auto_fallback') {
    tls.fallbackDelay = AUTO_DELAY_MS
    return
  }
  try {
    tls.fallbackDelay = parseDuration(value.value)
  } catch (error) {
    if (!(error instanceof DurationError)) throw error
    fail(value, `field ${quoteText(name)}'s value ${quoteText(value.value)} is invalid`)
  }
}

function readMinVersion(value: ConfigValue): '1.2' | '1.3' {
  const problem = (text: string): never => fail(value, `error parsing tls config: ${text}`)
  if (!isString(value)) return problem(`'min_version' wrong type: ${shown(value)}`)
  const version: string = value.value
  if (version === '1.2' || version === '1.3') return version
  return problem(
    version === '1.0' || version === '1.1'
      ? `unsupported TLS version: TLS ${version}`
      : `unknown version: ${version}`,
  )
}
