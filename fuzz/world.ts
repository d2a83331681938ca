// The same operator, account and user in every run, so that a case of a seed is the same bytes everywhere. They are used nowhere else.
import {
  encode,
  keyPairFromSeed,
  newAccountClaims,
  newActivationClaims,
  newOperatorClaims,
  newUserClaims,
} from '@ngs/identity/node'

export const operator = keyPairFromSeed('SOAFPXYNHLQ4LKM6APPNO4YOOTES2UMCWXSF7KXWUB73AV5N5TRJZ53U2U')
export const account = keyPairFromSeed('SAAJ6YCX6DSSVBBHBESSB3IVKODCHYXSBOGLO7MNARD33YZBILDJJTIX6Q')
export const user = keyPairFromSeed('SUAPCILWXO5J5SMUS2ENCTXGE2SCCHK56HEOVWY2ZOUIKELED54SVF2SBI')

const issuedAt = 1_700_000_000
export const operatorToken = encode(newOperatorClaims(operator.publicKey, 'O'), operator, { issuedAt })
export const accountToken = encode(newAccountClaims(account.publicKey, 'A'), operator, { issuedAt })
export const userToken = encode(newUserClaims(user.publicKey, 'U'), account, { issuedAt })
export const activationToken = encode(newActivationClaims(account.publicKey, 'a.b'), account, { issuedAt })
