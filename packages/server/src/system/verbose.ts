// trace_verbose: what the server itself says in the system account goes into the log as well.
import { payloadText } from '../connection/protocol-trace.ts'
import type { Server } from '../server.ts'
import { fromWire } from '../subject/subject.ts'

/** Starts or ends it, as the options want it. */
export function traceSystem(server: Server): void {
  const { system } = server.accounts
  if (system === null) return
  const { log, options } = server
  const wanted = log.traceOn && options.traceVerbose
  if (!wanted) system.tap = null
  else {
    system.tap = (frame, subject) => {
      const { args, data, dataStart, dataEnd, replyStart, replyEnd, headerSize } = frame
      const reply = fromWire(args.latin1Slice(replyStart, replyEnd))
      log.trace(`SYSTEM - <<- [PUB ${fromWire(subject)} ${reply} ${dataEnd - dataStart}]`)
      const text = payloadText(options, data.subarray(dataStart, dataEnd), headerSize)
      if (text !== null) log.trace(`SYSTEM - <<- MSG_PAYLOAD: [${text}]`)
    }
  }
}
