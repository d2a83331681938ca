// Comparing secrets without telling by time how much of them was right.
import { createHash, timingSafeEqual } from 'node:crypto'

const BCRYPT = /^\$2[abxy]\$\d{2}\$/

export const isBcrypt = (stored: string): boolean => BCRYPT.test(stored)

/** Plain text or bcrypt, by the look of what is stored. */
export async function passwordMatches(stored: string, given: string): Promise<boolean> {
  if (isBcrypt(stored)) {
    const bcrypt = await import('bcryptjs')
    return bcrypt.compare(given, stored.replace(/^\$2[xy]/, '$2a'))
  }
  return equalInTime(stored, given)
}

export function equalInTime(stored: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(stored), digest(given))
}
