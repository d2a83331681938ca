/** The command set this program follows, and our own version: `nsc --version` shows both. */
export const COMPATIBLE_VERSION = '2.14.0'
export const VERSION = '0.1.0'
