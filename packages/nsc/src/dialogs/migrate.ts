import path from 'node:path'
import { exists } from '../files.ts'
import type { Asker } from './asker.ts'

export async function migrate(ask: Asker): Promise<void> {
  if (ask.given('url') || ask.given('operator-dir')) return
  if (ask.all && (await ask.decide('operator-dir', 'copy all accounts of another operator?', true)))
    await ask.text('operator-dir', 'folder of the operator', {
      required: true,
      check: (text) =>
        exists(path.join(ask.session.expand(text), '.nsc'))
          ? null
          : 'the folder of an operator in a stores root',
    })
  else await ask.text('url', 'file or URL of the token of the account', { required: true })
}
