import type { Call } from '../cli/spec.ts'
import { refusals } from '../remote/permission-errors.ts'
import { quote } from '../text.ts'
import { subjectAndText, withConnection } from './tool-shared.ts'

export async function run(call: Call): Promise<undefined> {
  const { subject, text } = subjectAndText(call)
  await withConnection(call, 'nsc_pub', async (connection) => {
    const settled = refusals(connection)
    connection.publish(subject, text)
    await settled()
    call.session.note(`Published [${subject}] : ${quote(text)}`)
  })
}
