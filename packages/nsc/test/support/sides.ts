import type { TestContext } from 'node:test'
import { AccountServer } from './account-server.ts'
import { normalize, Sandbox } from './sandbox.ts'

/** Both programs against servers of their own that behave the same. */
export async function sides(t: TestContext) {
  const make = async (which: 'ours' | 'official') => {
    const server = await AccountServer.start(t)
    const sandbox = Sandbox.create(t, which)
    sandbox.env['NSC_tst_OPERATOR'] = server.operatorUrl
    return { server, sandbox }
  }
  return { ours: await make('ours'), official: await make('official') }
}

export type Side = Awaited<ReturnType<typeof sides>>['ours']

/** One call, with the requests it made. */
export async function call({ server, sandbox }: Side, ...args: string[]) {
  server.takeSeen()
  const outcome = await sandbox.run(args)
  const clean = (text: string) =>
    normalize(text, sandbox)
      .replaceAll(server.url, 'SERVER')
      .replace(/127\.0\.0\.1:\d+/g, 'ADDR')
  return {
    code: outcome.code,
    stdout: clean(outcome.stdout),
    stderr: clean(outcome.stderr).trimEnd(),
    // Requests of one command may overlap.
    requests: server.takeSeen().sort(),
  }
}
