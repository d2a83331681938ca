// A person at a terminal with a home folder of their own: runs nsc, nats and ngs there and reads what they print.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsConnection } from '@nats-io/nats-core'
import { connect, credsAuthenticator } from '@nats-io/transport-node'
import { peer } from '@ngs/testkit'
import { root } from './system.ts'

export interface Outcome {
  code: number | null
  /** stdout and stderr together, in the order they came. */
  text: string
  stdout: string
}

export class Person {
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  readonly nsc: string
  readonly operatorName = 'ngs'

  /** @param tools whose nsc the person has installed: ours or the official one. */
  constructor(home: string, tools: 'ours' | 'official', urls: { http: string; nats: string }) {
    this.home = home
    this.nsc = tools === 'ours' ? join(root, 'packages/nsc/bin/nsc') : peer('nsc')
    this.env = {
      PATH: process.env['PATH'],
      HOME: home,
      XDG_CONFIG_HOME: join(home, 'config'),
      XDG_DATA_HOME: join(home, 'data'),
      NGS_URL: urls.http,
      // How the official nsc learns of an operator by name; ours knows `ngs` by itself.
      ...(tools === 'official' ? { NSC_ngs_OPERATOR: `${urls.http}/jwt/v1/operator` } : {}),
    }
  }

  run(command: string, args: string[], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      const child = spawn(command, args, {
        cwd: this.home,
        env: { ...this.env, ...extra },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let text = ''
      let stdout = ''
      child.stdout.on('data', (chunk) => {
        text += chunk
        stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        text += chunk
      })
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, text, stdout }))
    })
  }

  /**
   * Runs nsc and insists on success.
   * @param line words with a space between them
   * @param more further words, which may have spaces in them
   */
  async does(line: string, ...more: string[]): Promise<string> {
    const args = [...line.split(' '), ...more]
    const { code, text } = await this.run(this.nsc, args)
    assert.equal(code, 0, `nsc ${args.join(' ')}\n${text}`)
    return text
  }

  /** Runs nsc, with words as in `does`, and insists on failure. */
  async fails(line: string, ...more: string[]): Promise<string> {
    const args = [...line.split(' '), ...more]
    const { code, text } = await this.run(this.nsc, args)
    assert.notEqual(code, 0, `nsc ${args.join(' ')} should have failed\n${text}`)
    return text
  }

  ngs(args: string[], extra: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    return this.run(join(root, 'packages/cli/bin/ngs'), args, extra)
  }

  /** The official nats command line, as a user of an account. */
  nats(url: string, account: string, user: string, args: string[]): Promise<Outcome> {
    return this.run(peer('nats'), ['--server', url, '--creds', this.credsFile(account, user), ...args])
  }

  credsFile(account: string, user: string): string {
    return join(this.home, 'data/nats/nsc/keys/creds', this.operatorName, account, `${user}.creds`)
  }

  connect(
    url: string,
    account: string,
    user: string,
    options: Record<string, unknown> = {},
  ): Promise<NatsConnection> {
    return connect({
      servers: url,
      authenticator: credsAuthenticator(readFileSync(this.credsFile(account, user))),
      reconnect: false,
      ...options,
    })
  }

  async accountKey(name: string): Promise<string> {
    const text = await this.does(`describe account ${name} --field sub`)
    return JSON.parse(text.trim()) as string
  }
}
