// What both entries share: keys, claims, creds files and the trust chain. Loads no cryptography of its own.
export * from './claims.ts'
export { decorateJwt, decorateSeed, formatCreds, parseCreds, undecorateJwt } from './creds.ts'
export { decodeBase64Url, decodeSignature, encodeBase64Url } from './encoding.ts'
export { IDENTITY_ERRORS, IdentityError, type IdentityErrorCode } from './errors.ts'
export {
  type ExplainInput,
  type ExplainStage,
  type ExplainStep,
  type Explanation,
  explain,
} from './explain/explain.ts'
export {
  decode,
  decodeAccount,
  decodeActivation,
  decodeAuthorizationRequest,
  decodeAuthorizationResponse,
  decodeGeneric,
  decodeOperator,
  decodeUser,
  MAX_TOKEN_SIZE,
  type OpenedToken,
  openToken,
  openUser,
  unverifiedDecode,
} from './jwt/decode.ts'
export { encode } from './jwt/encode.ts'
export { type Int64, stringifyJson } from './jwt/json.ts'
export {
  createKeyPair,
  decodePublicKey,
  encodePublicKey,
  encodeSeed,
  isPublicKey,
  type KeyPair,
  type KeyRole,
  keyPairFromPublicKey,
  keyPairFromSeed,
  roleOfPublicKey,
  roleOfSeed,
  verifySignature,
} from './nkeys.ts'
export { intersect, localPattern, Renaming, RenamingError } from './renaming.ts'
export {
  activationHashId,
  type ChainFailure,
  type ChainLink,
  type ChainSuccess,
  findExport,
  verifyActivation,
  verifyChain,
} from './rules/chain.ts'
export { ALL, addRevocation, compactRevocations, isRevoked } from './rules/revocations.ts'
export { expandUserPermissions, isUnrestricted, MAX_EXPANSIONS } from './rules/scope.ts'
export { accountSigners, didSign, issuerAccount, userScope } from './rules/signers.ts'
export { type Issue, isBlocking, isCidr, validate } from './rules/validate.ts'
export { hasWildcard, isSubsetMatch, isValidSubject, subjectsOverlap } from './subjects.ts'
export { INVALID_SUBJECT, refusedMapping, Transform, TransformError } from './transform.ts'
