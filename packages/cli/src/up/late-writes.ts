// The NATS client takes its listeners off a socket that the server has ended and may still write to it: the "write after end" that
// follows is then nobody's, and Node ends the process for it. The connection is known to be lost by then and is made anew, so for
// this one error of this one library there is nothing to do.

const isLateWrite = (error: NodeJS.ErrnoException): boolean =>
  ['ERR_STREAM_WRITE_AFTER_END', 'EPIPE', 'ECONNRESET'].includes(error.code ?? '') &&
  (error.stack ?? '').includes('transport-node')

/** Until the returned function is called, late writes of the NATS client are ignored; every other uncaught error ends the process as ever. */
export function ignoreLateWrites(): () => void {
  const handler = (error: Error): void => {
    if (isLateWrite(error)) return
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  }
  process.on('uncaughtException', handler)
  return () => void process.off('uncaughtException', handler)
}
