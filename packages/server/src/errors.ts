/** What keeps a server from starting: the text names what and where; the code is stable. */
export class ServerError extends Error {
  readonly code: string
  constructor(code: string, text: string) {
    super(text)
    this.name = 'ServerError'
    this.code = code
  }
}
