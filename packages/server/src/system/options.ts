// The body of a request: empty, or a JSON object whose keys count in any case; what it does not know it ignores.

/** A body that says nothing usable; answered with code 400. */
export class BadRequest extends Error {}

export class RequestOptions {
  readonly #values = new Map<string, unknown>()

  /** @throws BadRequest when the body is not empty and no JSON object. */
  constructor(body: string) {
    if (body === '') return
    let value: unknown
    try {
      value = JSON.parse(body)
    } catch (error) {
      throw new BadRequest(`the body is not JSON: ${(error as Error).message}`)
    }
    if (value === null) return
    if (typeof value !== 'object' || Array.isArray(value))
      throw new BadRequest('the body has to be a JSON object')
    for (const [key, item] of Object.entries(value)) this.#values.set(key.toLowerCase(), item)
  }

  #get<T>(key: string, absent: T, is: (value: unknown) => value is T, what: string): T {
    const value = this.#values.get(key)
    if (value === undefined || value === null) return absent
    if (!is(value)) throw new BadRequest(`${JSON.stringify(key)} has to be ${what}`)
    return value
  }
  /** @throws BadRequest for another type, as all of these. */
  text(key: string): string {
    return this.#get(key, '', (value) => typeof value === 'string', 'a string')
  }
  flag(key: string): boolean {
    return this.#get(key, false, (value) => typeof value === 'boolean', 'true or false')
  }
  int(key: string): number {
    return this.#get(key, 0, (value): value is number => Number.isSafeInteger(value), 'a whole number')
  }
  uint(key: string): number {
    const isUint = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
    return this.#get(key, 0, isUint, 'a whole number from 0 on')
  }
  texts(key: string): string[] {
    const isList = (value: unknown): value is string[] =>
      Array.isArray(value) && value.every((item) => typeof item === 'string')
    return this.#get(key, [], isList, 'a list of strings')
  }
}
