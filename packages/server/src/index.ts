// The server as a library: start one inside a process, for embedding and for tests of applications.

export { ServerError } from './errors.ts'
export type { Logger } from './log.ts'
export { defaultOptions, type Options, type UserOptions } from './options.ts'
export { Server } from './server.ts'
