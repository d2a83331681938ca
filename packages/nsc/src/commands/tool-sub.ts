import type { Call } from '../cli/spec.ts'
import { refusals } from '../remote/permission-errors.ts'
import { checkReceiverFlags, refuseEncryption, subjectAndText, withConnection } from './tool-shared.ts'

export async function run(call: Call): Promise<undefined> {
  refuseEncryption(call)
  checkReceiverFlags(call)
  const { subject } = subjectAndText(call)
  const { session, flags } = call
  const max = Number(flags.integer('max-messages'))
  await withConnection(call, 'nsc_sub', async (connection) => {
    const settled = refusals(connection)
    const subscription = connection.subscribe(subject, receiverOptions(flags.text('queue'), max))
    session.note(`Listening on [${subject}]${max > 0 ? ` for ${max} messages` : ''}`)
    await settled()
    let count = 0
    for await (const message of subscription)
      session.note(`[#${++count}] received on [${message.subject}]: '${message.string()}'`)
  })
}

/** Queue group and number of messages of a subscription, when given. */
export function receiverOptions(queue: string, max: number): { queue?: string; max?: number } {
  return { ...(queue === '' ? {} : { queue }), ...(max > 0 ? { max } : {}) }
}
