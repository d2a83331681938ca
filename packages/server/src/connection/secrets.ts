// What logs do not show of a CONNECT: passwords, tokens and signatures.

/** A string with its escapes, which may have no end, or what stands there without quotes. */
const VALUE = String.raw`\s*[:=]\s*(?:"((?:[^"\\]|\\.)*)|([^",\r\n}]*))`
/** Passwords and tokens by the beginning of their names; the others by their whole names. In any case: names of CONNECT have none. */
const SECRETS = [
  new RegExp(String.raw`"?\s*(?:auth_token\S*?|pass\S*?)"?${VALUE}`, 'dgi'),
  new RegExp(String.raw`(?:^|[^A-Za-z0-9_])"?\s*(?:proxy_sig|nkey|sig)"?${VALUE}`, 'dgi'),
]

/** The JSON of a CONNECT, which may be broken, with every secret blotted out. */
export function withoutSecrets(connect: string): string {
  let text = connect
  for (const pattern of SECRETS) {
    const found = [...text.matchAll(pattern)].reverse()
    for (const match of found) {
      const [start, end] = match.indices![1] ?? match.indices![2]!
      text = `${text.slice(0, start)}[REDACTED]${text.slice(end)}`
    }
  }
  return text
}
