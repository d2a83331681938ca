import type { Call } from '../cli/spec.ts'
import { isNoResponders, isTimeout } from '../remote/nats.ts'
import { refuseEncryption, subjectAndText, withConnection } from './tool-shared.ts'

const REPLY_TIMEOUT_MS = 5_000

export async function run(call: Call): Promise<undefined> {
  refuseEncryption(call)
  const { subject, text } = subjectAndText(call)
  const { session } = call
  await withConnection(call, 'nsc_req', async (connection) => {
    session.note(`published request: [${subject}] : '${text}'`)
    try {
      const reply = await connection.request(subject, text, { timeout: REPLY_TIMEOUT_MS })
      session.print(`received reply: [${reply.subject}] : '${reply.string()}'`)
    } catch (thrown) {
      // Nobody answering in time is a result, not a failure: exit code 0.
      if (!isTimeout(thrown) || isNoResponders(thrown)) throw thrown
      session.note('request timed out')
    }
  })
}
