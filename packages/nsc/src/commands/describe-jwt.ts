import type { Call } from '../cli/spec.ts'
import { usageError } from '../errors.ts'
import { loadFileOrUrl } from '../remote/account-server.ts'
import type { Report } from '../report.ts'
import { describeToken } from './describe-shared.ts'

export async function run(call: Call): Promise<Report | undefined> {
  const file = call.flags.text('file')
  if (file === '') throw usageError('file is required')
  return describeToken(call, await loadFileOrUrl(call.session, file))
}
