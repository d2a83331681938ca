import type { Call } from '../cli/spec.ts'
import { firstPermissionError } from '../remote/permission-errors.ts'
import { quote } from '../text.ts'
import { subjectAndText, withConnection } from './tool-shared.ts'

export async function run(call: Call): Promise<undefined> {
  const { subject, text } = subjectAndText(call)
  await withConnection(call, 'nsc_pub', async (connection) => {
    const refused = firstPermissionError(connection)
    connection.publish(subject, text)
    // The server answers the flush after it has refused the message, if it does.
    await connection.flush()
    const error = refused()
    if (error) throw error
    call.session.note(`Published [${subject}] : ${quote(text)}`)
  })
}
