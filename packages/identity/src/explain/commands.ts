// The nsc command that would change a "no".
import type { AccountClaims, UserClaims } from '../claims.ts'

/** A word of a shell command, quoted where a shell would read more into it. */
function word(text: string): string {
  if (/^[\w.,:/@=+-]+$/.test(text)) return text
  return /[$`"\\!]/.test(text) ? `'${text.replaceAll("'", `'\\''`)}'` : `"${text}"`
}

/** `nsc` with words; those that are null are left out. */
export function nsc(...words: (string | null)[]): string {
  return ['nsc', ...words.filter((each) => each !== null).map(word)].join(' ')
}

/** How commands name an account: by name where there is one. */
export const accountWord = (account: AccountClaims): string => account.name || account.sub

/** How commands name a user. */
export const userWord = (user: UserClaims): string => user.name || user.sub

/** Flags that pick a user for `nsc edit user` and the like. */
export const userFlags = (account: AccountClaims, user: UserClaims): string[] => [
  '--account',
  accountWord(account),
  '--name',
  userWord(user),
]
