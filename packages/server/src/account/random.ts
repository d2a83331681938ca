const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Text of the NATS reply alphabet: not a secret, but not met by accident. Cheap, since every request makes one. */
export function randomToken(length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHABET[(Math.random() * ALPHABET.length) | 0]
  return text
}
