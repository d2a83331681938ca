import { failure } from '../errors.ts'
import { goJson, sortKeys } from '../json.ts'
import { quote } from '../text.ts'

/** The body of a token, unverified, for --json and --field. */
function tokenBody(token: string): unknown {
  const chunks = token.split('.')
  if (chunks.length !== 3) throw failure('data is not a jwt')
  try {
    return JSON.parse(Buffer.from(chunks[1] ?? '', 'base64url').toString('utf8'))
  } catch (thrown) {
    throw failure(`error parsing json: ${(thrown as Error).message}`, thrown)
  }
}

/** The body with sorted keys, one blank of indentation, and a newline at the end. */
export function bodyAsJson(token: string): string {
  return `${goJson(sortKeys(tokenBody(token)), { indent: 1, html: false })}\n`
}

/** The value at a path such as `nats.limits.conn` or `nats.exports[0].name`, as compact JSON; `null` when absent. */
export function fieldOf(token: string, path: string): string {
  let value = tokenBody(token)
  for (const step of stepsOf(path)) value = take(value, step, path)
  return goJson(sortKeys(value ?? null))
}

function stepsOf(path: string): string[] {
  return path.split('.').flatMap((part) => {
    const open = part.indexOf('[')
    if (open === -1) return [part]
    const close = part.indexOf(']')
    if (close === -1)
      throw failure(`bad path - unterminated index expression: ${quote(part)} in ${quote(path)}`)
    return [part.slice(0, open), part.slice(open + 1, close)]
  })
}

function take(value: unknown, step: string, path: string): unknown {
  if (Array.isArray(value)) {
    if (!/^[+-]?\d+$/.test(step)) throw failure(`error parsing index: ${quote(step)} in ${quote(path)}`)
    const index = Number(step)
    if (index < 0 || index >= value.length)
      throw failure(`index is out of bounds: ${index} in ${quote(path)}`)
    return value[index]
  }
  if (value === null || typeof value !== 'object')
    throw failure(`unable to extract ${quote(step)} in ${quote(path)} from ${value ?? '<nil>'}`)
  return Object.hasOwn(value, step) ? (value as Record<string, unknown>)[step] : null
}
