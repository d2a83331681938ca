// Trace events: published in the account of the traced message, with this server's name in front.
import { encodeBody } from './encoding.ts'
import type { System } from './system.ts'

export function sendTraces(system: System): void {
  system.server.sendTrace = (account, destination, event, encoding) => {
    const document = Buffer.from(JSON.stringify({ server: system.info(), ...event }))
    if (encoding === null) account.publishInternal(destination, '', document)
    else {
      const headers = `NATS/1.0\r\nContent-Encoding: ${encoding}\r\n\r\n`
      account.publishInternal(destination, '', encodeBody(document, encoding), headers)
    }
  }
}
