/** Every way in which this package refuses something. The code is stable, the text is for people. */
export const IDENTITY_ERRORS = {
  invalidKey: 'not a valid public key',
  invalidSeed: 'not a valid seed',
  wrongRole: 'the key has another role than needed here',
  noPrivateKey: 'only the public key is known',
  cannotSign: 'keys of this kind cannot do that',
  sealFailed: 'the box could not be sealed or opened',
  badSignature: 'the signature does not verify',
  badCreds: 'the credentials text is malformed',
  badToken: 'the JWT is malformed',
  tokenTooLarge: 'the JWT is too large',
  unsupportedVersion: 'the JWT has a version this library does not know',
  wrongKind: 'the JWT has another kind than asked for',
  wrongIssuer: 'the JWT was issued by a key of the wrong role',
  invalidClaims: 'the claims cannot be encoded',
  scope: 'the scoped signing key does not allow this user',
  template: 'a permission template gave no valid subject',
} as const

/** A key of IDENTITY_ERRORS. */
export type IdentityErrorCode = keyof typeof IDENTITY_ERRORS

/** The one error of this package; its text names the thing that is refused and why. */
export class IdentityError extends Error {
  readonly code: IdentityErrorCode
  constructor(code: IdentityErrorCode, text: string) {
    super(text)
    this.name = 'IdentityError'
    this.code = code
  }
}
