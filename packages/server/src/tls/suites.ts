// Cipher suites, curves and versions: the names of configuration files (IANA's and Go's) and those of OpenSSL.
import { getCiphers } from 'node:tls'

export interface CipherSuite {
  readonly openssl: string
  /** Refused unless `allow_insecure_cipher_suites` is set. */
  readonly insecure: boolean
}

const suite = (openssl: string, insecure = false): CipherSuite => ({ openssl, insecure })
const weak = (openssl: string): CipherSuite => suite(openssl, true)

/** Every suite that the official server knows; what OpenSSL no longer has is in the list, to be refused by name. */
export const CIPHER_SUITES: Readonly<Record<string, CipherSuite>> = {
  TLS_AES_128_GCM_SHA256: suite('TLS_AES_128_GCM_SHA256'),
  TLS_AES_256_GCM_SHA384: suite('TLS_AES_256_GCM_SHA384'),
  TLS_CHACHA20_POLY1305_SHA256: suite('TLS_CHACHA20_POLY1305_SHA256'),
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: suite('ECDHE-ECDSA-AES128-GCM-SHA256'),
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: suite('ECDHE-RSA-AES128-GCM-SHA256'),
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: suite('ECDHE-ECDSA-AES256-GCM-SHA384'),
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: suite('ECDHE-RSA-AES256-GCM-SHA384'),
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: suite('ECDHE-ECDSA-CHACHA20-POLY1305'),
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: suite('ECDHE-RSA-CHACHA20-POLY1305'),
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: suite('ECDHE-ECDSA-AES128-SHA'),
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: suite('ECDHE-RSA-AES128-SHA'),
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: suite('ECDHE-ECDSA-AES256-SHA'),
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: suite('ECDHE-RSA-AES256-SHA'),
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256: weak('ECDHE-ECDSA-AES128-SHA256'),
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256: weak('ECDHE-RSA-AES128-SHA256'),
  TLS_RSA_WITH_AES_128_GCM_SHA256: weak('AES128-GCM-SHA256'),
  TLS_RSA_WITH_AES_256_GCM_SHA384: weak('AES256-GCM-SHA384'),
  TLS_RSA_WITH_AES_128_CBC_SHA256: weak('AES128-SHA256'),
  TLS_RSA_WITH_AES_128_CBC_SHA: weak('AES128-SHA'),
  TLS_RSA_WITH_AES_256_CBC_SHA: weak('AES256-SHA'),
  TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA: weak('ECDHE-RSA-DES-CBC3-SHA'),
  TLS_RSA_WITH_3DES_EDE_CBC_SHA: weak('DES-CBC3-SHA'),
  TLS_ECDHE_ECDSA_WITH_RC4_128_SHA: weak('ECDHE-ECDSA-RC4-SHA'),
  TLS_ECDHE_RSA_WITH_RC4_128_SHA: weak('ECDHE-RSA-RC4-SHA'),
  TLS_RSA_WITH_RC4_128_SHA: weak('RC4-SHA'),
}

/** In the order of preference, as the official server prefers them. */
export const CURVES: Readonly<Record<string, string>> = {
  X25519MLKEM768: 'X25519MLKEM768',
  SecP384r1MLKEM1024: 'SecP384r1MLKEM1024',
  SecP256r1MLKEM768: 'SecP256r1MLKEM768',
  X25519: 'X25519',
  CurveP256: 'P-256',
  CurveP384: 'P-384',
  CurveP521: 'P-521',
}

/** Keys of 1024 bits are let in, as by the official server. */
const LEVEL = '@SECLEVEL=1'

const isTls13 = (name: string): boolean => !name.includes('_WITH_')

/** Whether the TLS library of this process has the suite. */
export function isOffered({ openssl }: CipherSuite): boolean {
  return getCiphers().includes(openssl.toLowerCase())
}

/** OpenSSL's cipher list: those of TLS 1.3, which no configuration turns off, and the named ones of TLS 1.2 in order of preference. */
export function cipherList(names: readonly string[]): string {
  const chosen = Object.entries(CIPHER_SUITES).filter(
    ([name, one]) => isTls13(name) || (names.length === 0 ? !one.insecure : names.includes(name)),
  )
  const list = chosen.map(([, { openssl }]) => openssl)
  // A list of nothing but suites of TLS 1.3 takes no level.
  return (chosen.every(([name]) => isTls13(name)) ? list : [...list, LEVEL]).join(':')
}

/** OpenSSL's list of groups. Naming some leaves out the others; the order of preference stays. */
export function curveList(names: readonly string[]): string {
  return Object.entries(CURVES)
    .filter(([name]) => names.length === 0 || names.includes(name))
    .map(([, openssl]) => openssl)
    .join(':')
}
