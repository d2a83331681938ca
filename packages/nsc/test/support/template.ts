import fs from 'node:fs'
import { createKeyPair, encode, newAccountClaims } from '@ngs/identity/node'
import { Sandbox, type Which } from './sandbox.ts'
import { words } from './scenario.ts'

/** Homes of our program and of the official one. */
export type Homes = readonly [ours: Sandbox, official: Sandbox]

/**
 * A store with something of everything, made once by the official program; scenarios work on copies of it, so both
 * programs start from the same keys.
 */
export class Template {
  private readonly source: Sandbox

  private constructor(source: Sandbox) {
    this.source = source
  }

  static async make(): Promise<Template> {
    const sandbox = Sandbox.loose('official')
    process.once('exit', () => sandbox.remove())
    for (const line of STEPS) await sandbox.ok(typeof line === 'function' ? line(sandbox) : words(line))
    fs.writeFileSync(sandbox.path('token.txt'), `${sandbox.token('Op', 'A')}\n${sandbox.token('Op', 'B')}\n`)
    for (const role of ['operator', 'account', 'user'] as const)
      fs.writeFileSync(sandbox.path(`${role}.nk`), createKeyPair(role).seed, { mode: 0o600 })
    fs.mkdirSync(sandbox.path('loose/deeper'), { recursive: true })
    for (const file of ['user.nk', 'account.nk'])
      fs.copyFileSync(sandbox.path(file), sandbox.path('loose', file))
    fs.copyFileSync(sandbox.path('operator.nk'), sandbox.path('loose/deeper/operator.nk'))
    // The official `fix` does not take curve keys.
    copyFolder(sandbox.path('backup'), makeFolder(sandbox.path('plain')))
    for (const name of fs.readdirSync(sandbox.path('plain')))
      if (name.startsWith('X')) fs.rmSync(sandbox.path('plain', name))
    const foreign = createKeyPair('account')
    const token = encode(newAccountClaims(foreign.publicKey, 'Self'), foreign)
    fs.writeFileSync(sandbox.path('self.jwt'), token)
    fs.writeFileSync(
      sandbox.path('foreign.jwt'),
      encode(newAccountClaims(foreign.publicKey, 'Foreign'), createKeyPair('operator')),
    )
    return new Template(sandbox)
  }

  /** A home for each program. */
  pair(): Homes {
    return [this.copy('ours'), this.copy('official')]
  }

  /** A home of its own with everything of the template in it. */
  private copy(which: Which): Sandbox {
    const sandbox = Sandbox.loose(which)
    copyFolder(this.source.home, sandbox.home)
    const file = sandbox.path('.config/nats/nsc/nsc.json')
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(this.source.home, sandbox.home))
    fs.chmodSync(file, 0o600)
    return sandbox
  }
}

function makeFolder(folder: string): string {
  fs.mkdirSync(folder)
  return folder
}

/** With modes; fs.cpSync gives folders those of the umask. */
function copyFolder(from: string, to: string): void {
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`]
    if (entry.isDirectory()) {
      fs.mkdirSync(target, { mode: fs.statSync(source).mode })
      copyFolder(source, target)
    } else fs.copyFileSync(source, target)
  }
}

const STEPS: (string | ((sandbox: Sandbox) => string[]))[] = [
  'init -n Op',
  'edit operator --sk generate --tag region:eu',
  'add account A --deny-sub secret.>',
  'add user u --account A --allow-pub a.>,b --deny-sub c --tag team:red --allow-pub-response',
  'add user v --account A --bearer --source-network 10.0.0.0/8',
  'edit account A --sk generate --tag red --conns 10 --description one --js-disable',
  'edit signing-key --account A --sk generate --role r --allow-sub news.> --subs 5',
  'add user s --account A -K r',
  'add export --account A --subject weather.CA --name weather',
  'add export --account A --service --subject ip.geo --latency lat.ip --sampling 10',
  'add export --account A --private --subject orders.>',
  'add export --account A --private --service --subject rep.*',
  'add mapping --account A --from m --to m.a --weight 50',
  'add mapping --account A --from m --to m.b --weight 40',
  'add account B',
  'add user w --account B',
  'edit account B --js-disk-storage 1gb --js-mem-storage 1mb --js-streams 5',
  'add import --account B --src-account A --remote-subject weather.CA --local-subject wx',
  'add import --account B --service --src-account A --remote-subject ip.geo --local-subject geo',
  'generate activation --account A --subject orders.> --target-account B -o orders.tok',
  'generate activation --account A --subject rep.* --target-account B -o rep.tok',
  'add import --account B --token orders.tok --local-subject in.>',
  (sandbox) => ['edit', 'authcallout', '--account', 'B', '--auth-user', sandbox.key('Op', 'B', 'w')],
  'edit authcallout --account B --curve generate --allowed-account *',
  'revocations add-user --account A --name v --at 1600000000',
  'revocations add_activation --account A --subject orders.> --target-account SYS --at 1600000000',
  'generate creds --account B --name w -o w.creds',
  'export keys --all --include-jwts --dir backup',
  'select account A',
]
