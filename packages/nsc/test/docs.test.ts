import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { jwtAuthenticator } from '@nats-io/nats-core'
import { connect } from '@nats-io/transport-node'
import { createKeyPair, encode, newAccountClaims, newUserClaims } from '@ngs/identity/node'
import { Engine, freePort } from '@ngs/testkit'
import { flagTable } from '../src/cli/flag-table.ts'
import { ENTRIES } from '../src/cli/registry.ts'
import { AccountServer } from './support/account-server.ts'
import { Sandbox } from './support/sandbox.ts'

/** Every command in the users' pages is run: `nsc` here, everything else by a shell, in the order of the page. */

const DOCS = path.resolve(import.meta.dirname, '../../../docs')
const NGS = path.resolve(import.meta.dirname, '../../cli/bin/ngs')
const NSC = path.resolve(import.meta.dirname, '../bin/nsc')

/** What has been done when a page begins. */
type Start = 'nothing' | 'account'

const PAGES: Record<string, { starts: Start }> = {
  'first-account': { starts: 'nothing' },
  users: { starts: 'account' },
  streams: { starts: 'account' },
  services: { starts: 'account' },
  'signing-keys': { starts: 'account' },
  revocation: { starts: 'account' },
  'managed-operators': { starts: 'account' },
  'own-operator': { starts: 'nothing' },
  moving: { starts: 'account' },
  backup: { starts: 'account' },
  scripts: { starts: 'account' },
}

/** The page that lists commands instead of running them. */
const REFERENCE = 'commands'

test('the reference lists every command with its summary, and no other', async () => {
  const page = fs.readFileSync(path.join(DOCS, 'nsc', `${REFERENCE}.md`), 'utf8')
  const listed = [...page.matchAll(/^\| `(nsc [^`]+)` \| (.+) \|$/gm)].map(
    ([, call, text]) => `${call}: ${text}`,
  )
  const commands = (await flagTable(ENTRIES)).map(({ path: call, command }) => `${call}: ${command.summary}`)
  assert.deepEqual(listed.sort(), commands.sort())
})

test('every page of nsc is run here', () => {
  const pages = fs.readdirSync(path.join(DOCS, 'nsc')).map((file) => file.replace(/\.md$/, ''))
  assert.deepEqual(pages.sort(), [...Object.keys(PAGES), REFERENCE].sort())
  const overview = fs.readFileSync(path.join(DOCS, 'nsc.md'), 'utf8')
  for (const page of pages)
    assert.ok(overview.includes(`](nsc/${page}.md)`), `docs/nsc.md does not lead to ${page}`)
})

test('links between the pages lead somewhere', () => {
  for (const page of ['../nsc', REFERENCE, ...Object.keys(PAGES)]) {
    const file = path.join(DOCS, 'nsc', `${page}.md`)
    for (const [, target = ''] of fs.readFileSync(file, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g))
      assert.ok(fs.existsSync(path.resolve(path.dirname(file), target)), `${page}: ${target}`)
  }
})

/** The commands of a page, in order. */
function commands(page: string): string[] {
  const blocks = fs
    .readFileSync(path.join(DOCS, 'nsc', `${page}.md`), 'utf8')
    .matchAll(/```sh\n([\s\S]*?)```/g)
  return [...blocks].flatMap(([, block = '']) => block.split('\n').filter((line) => line !== ''))
}

/** Arguments as a shell would split them: blanks separate, double quotes keep together. */
function split(line: string): string[] {
  return [...line.matchAll(/"((?:\\.|[^"])*)"|(\S+)/g)].map(([, quoted, bare]) =>
    quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1'),
  )
}

/** A home folder with the service that the pages speak of. */
async function world(t: TestContext): Promise<Sandbox> {
  const accounts = await AccountServer.start(t, 'ngs')
  const sandbox = Sandbox.create(t, 'ours')
  sandbox.env['NGS_URL'] = accounts.url
  const url = await distribute(t, accounts)
  accounts.operator.nats.operator_service_urls = [url]
  fs.mkdirSync(sandbox.path('bin'))
  fs.symlinkSync(NSC, sandbox.path('bin/nsc'))
  fs.symlinkSync(NGS, sandbox.path('bin/ngs'))
  return sandbox
}

for (const [page, { starts }] of Object.entries(PAGES))
  test(`every command of ${page}.md works`, { timeout: 240_000 }, async (t) => {
    const sandbox = await world(t)
    if (starts === 'account') await sandbox.ok(['init', '-o', 'ngs', '-n', 'First'])
    const address = `127.0.0.1:${await freePort()}`
    const background: Promise<void>[] = []
    const lines = commands(page)
    assert.ok(lines.length > 0)
    for (const line of lines) {
      if (line.startsWith('nsc ')) {
        const args = split(line.replaceAll('localhost:4222', address)).slice(1)
        // What the service does on NGS.
        if (line.includes('ngs.echo'))
          background.push(...(await answering(sandbox, ['tool', 'reply', 'ngs.echo'])))
        if (args[0] === 'tool' && (args[1] === 'sub' || args[1] === 'reply'))
          background.push(...(await answering(sandbox, args)))
        else {
          const outcome = await sandbox.run(args)
          assert.equal(outcome.code, 0, `${line}\n${outcome.stdout}${outcome.stderr}`)
          if (args[1] === 'req') assert.match(outcome.stdout, /^received reply: /, line)
        }
      } else if (line.startsWith('ngs-server -c ')) {
        const config = sandbox.read(line.slice('ngs-server -c '.length))
        await Engine.start(t, { config: `listen: "${address}"\n${config.replace("'./jwt'", '"%DIR%/jwt"')}` })
      } else
        await promisify(execFile)('bash', ['-c', line], {
          cwd: sandbox.home,
          env: { PATH: `${sandbox.path('bin')}:${process.env['PATH']}`, HOME: sandbox.home },
        })
    }
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
    await connection.request('$SYS.REQ.CLAIMS.UPDATE', signed, { timeout: 30_000 })
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
