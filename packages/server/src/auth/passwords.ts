// Comparing secrets without telling by time how much of them was right.
import { createHash, timingSafeEqual } from 'node:crypto'

const BCRYPT = /^\$2[abxy]\$\d{2}\$/

export const isBcrypt = (stored: string): boolean => BCRYPT.test(stored)

/** @param stored a bcrypt hash (isBcrypt). */
export async function bcryptMatches(stored: string, given: string): Promise<boolean> {
  const { compare } = await import('./bcrypt.ts')
  return compare(stored, given)
}

export function equalInTime(stored: string, given: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(stored), digest(given))
}
