import type { Call } from '../cli/spec.ts'
import { refusals } from '../remote/permission-errors.ts'
import { checkReceiverFlags, subjectAndText, withConnection } from './tool-shared.ts'
import { receiverOptions } from './tool-sub.ts'

export async function run(call: Call): Promise<undefined> {
  checkReceiverFlags(call)
  const { subject } = subjectAndText(call)
  const answer = call.args[1]
  const { session, flags } = call
  const max = Number(flags.integer('max-messages'))
  await withConnection(call, 'nsc_reply', async (connection) => {
    const settled = refusals(connection)
    const subscription = connection.subscribe(subject, receiverOptions(flags.text('queue'), max))
    session.note(`listening on [${subject}]${max > 0 ? ` for ${max} messages` : ''}`)
    await settled()
    let count = 0
    for await (const message of subscription) {
      count++
      if (!message.reply) {
        session.note(`[#${count}] ignoring request on [${message.subject}]: no reply subject`)
        continue
      }
      session.note(`[#${count}] received on [${message.subject}]: '${message.string()}'`)
      connection.publish(message.reply, answer ?? message.data)
    }
    await connection.flush()
  })
}
