import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { undecorateJwt, unverifiedDecode } from '@ngs/identity/node'
import { comparable, maskKeys, type Sandbox, type WireClaims } from './sandbox.ts'
import type { Pair } from './scenario.ts'

/** Seconds that clocks may move on between two programs. */
const SLACK = 10

/** Tokens of both stores are equal field by field, keys and times aside; so are files and modes. */
export function assertSameStores({ ours, official }: Pair): void {
  assert.deepEqual(ours.tree(), official.tree())
  assert.equal(sameTokens(ours, official), null)
}

/** Compares all tokens and creds files of two homes, field by field; null when they are equal. */
export function sameTokens(ours: Sandbox, official: Sandbox): unknown {
  const [a, b] = [tokensBelow(ours), tokensBelow(official)]
  const different = [...a.keys()].filter((file) => b.has(file) && !same(a.get(file), b.get(file)))
  return different.length === 0
    ? null
    : different.map((file) => ({ file, ours: a.get(file), official: b.get(file) }))
}

function tokensBelow(sandbox: Sandbox): Map<string, unknown> {
  const tokens = new Map<string, unknown>()
  for (const entry of fs.readdirSync(sandbox.home, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name)
    if (!/\.(jwt|creds|tok)$/.test(entry.name) || !entry.isFile()) continue
    try {
      const { payload } = unverifiedDecode(undecorateJwt(fs.readFileSync(file, 'utf8')).trim())
      const name = path.relative(sandbox.home, file)
      // Files whose names are keys are told apart by the names in their tokens.
      const at = maskKeys(name) === name ? name : `${maskKeys(name)} ${payload['name']}`
      // Servers of tests have ports of their own.
      const text = JSON.stringify(comparable(payload as unknown as WireClaims))
      tokens.set(at, JSON.parse(text.replace(/127\.0\.0\.1:\d+/g, 'ADDR')))
    } catch {
      // No token: the tree compares the file's name.
    }
  }
  return tokens
}

/** Deep equality in which times may be apart by as much as clocks move on. */
function same(a: unknown, b: unknown, key = ''): boolean {
  if (typeof a === 'number' && typeof b === 'number')
    return a === b || (isTime(key) && Math.abs(a - b) <= SLACK)
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = Object.keys(x)
  const inner = (name: string) => (isTime(key) || key === 'revocations' ? 'exp' : name)
  return keys.length === Object.keys(y).length && keys.every((name) => same(x[name], y[name], inner(name)))
}

function isTime(key: string): boolean {
  return key === 'exp' || key === 'nbf'
}
