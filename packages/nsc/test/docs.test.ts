import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { jwtAuthenticator } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { createKeyPair, encode, newAccountClaims, newUserClaims } from '@ngs/identity/node'
import { Engine } from '@ngs/testkit'
import { AccountServer } from './support/account-server.ts'
import { Sandbox } from './support/sandbox.ts'

const PAGE = path.resolve(import.meta.dirname, '../../../docs/nsc.md')

/** The commands of the page, in order. */
function commands(): string[] {
  const blocks = fs.readFileSync(PAGE, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)
  return [...blocks].flatMap(([, block = '']) => block.split('\n').filter((line) => line.startsWith('nsc ')))
}

/** Arguments as a shell would split them: blanks separate, double quotes keep together. */
function split(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].slice(1).map(([, quoted, bare]) => quoted ?? bare ?? '')
}

test('every command of the page works', { timeout: 120_000 }, async (t) => {
  const accounts = await AccountServer.start(t, 'ngs')
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.env['NGS_URL'] = accounts.url
  const url = await distribute(t, accounts)
  accounts.operator.nats.operator_service_urls = [url]
  const background: Promise<void>[] = []
  let ran = 0
  for (const line of commands()) {
    const args = split(line)
    // What the service does on NGS.
    if (line.includes('ngs.echo'))
      background.push(...(await answering(sandbox, ['tool', 'reply', 'ngs.echo'])))
    if (args[1] === 'sub' || args[1] === 'reply') background.push(...(await answering(sandbox, args)))
    else {
      const outcome = await sandbox.run(args)
      assert.equal(outcome.code, 0, `${line}\n${outcome.stdout}${outcome.stderr}`)
      if (args[1] === 'req') assert.match(outcome.stdout, /^received reply: /, line)
    }
    ran++
  }
  assert.ok(ran > 30)
  // Those that listen have heard what the page says they hear.
  await Promise.all(background)
})

/** Starts a server that gets every account as soon as the account server has signed it; returns its URL. */
async function distribute(t: TestContext, accounts: AccountServer): Promise<string> {
  const system = createKeyPair('account')
  const user = createKeyPair('user')
  const account = encode(newAccountClaims(system.publicKey, 'SYS'), accounts.signingKey)
  accounts.operator.nats.system_account = system.publicKey
  const { url } = await Engine.start(t, {
    config: `operator: ${accounts.operatorToken}
    system_account: ${system.publicKey}
    resolver { type: full, dir: "%DIR%/jwt" }
    resolver_preload { ${system.publicKey}: ${account} }`,
  })
  const token = encode(newUserClaims(user.publicKey, 'sys'), system)
  const connection = await connect({
    servers: url.replace('nats://', ''),
    authenticator: jwtAuthenticator(token, new TextEncoder().encode(user.seed)),
  })
  t.after(() => connection.close())
  accounts.signed = async (signed) => {
    await connection.request('$SYS.REQ.CLAIMS.UPDATE', signed, { timeout: 5_000 })
  }
  return url
}

/** Starts a command that waits for one message; resolves once it listens, to what it comes to. */
async function answering(sandbox: Sandbox, args: string[]): Promise<Promise<void>[]> {
  let listening: () => void = () => {}
  const ready = new Promise<void>((resolve) => {
    listening = resolve
  })
  const call = sandbox.run([...args, '--max-messages', '1'], {
    onError: (text) => /istening on/.test(text) && listening(),
  })
  const done = call.then(({ code, stderr }) => assert.equal(code, 0, stderr))
  await Promise.race([ready, done])
  return [done]
}
