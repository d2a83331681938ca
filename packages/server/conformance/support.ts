// The words the conformance tests are written in.
import assert from 'node:assert/strict'
import { after, before, describe, type TestContext } from 'node:test'
import { Engine, type EngineUnderTest, enginesUnderTest, RawClient, waitFor } from '@ngs/testkit'

/** CONNECT without acknowledgements. */
export const QUIET = 'CONNECT {"verbose":false,"pedantic":false}'
/** The same with headers, no-responders and asynchronous INFO. */
export const FULL =
  'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"protocol":1}'

export interface Bench {
  readonly engine: EngineUnderTest
  /** The engine of the suite; valid inside its tests. */
  readonly server: Engine
  /** A connection that has read INFO, and after that has said these lines. */
  client(t: TestContext, ...lines: string[]): Promise<RawClient>
}

/** A suite on each engine under test, with one process of it for all its tests. */
export function onEveryEngine(name: string, config: string, define: (bench: Bench) => void): void {
  for (const engine of enginesUnderTest()) {
    describe(`${name} [${engine.name}]`, () => {
      let server: Engine | null = null
      before(async () => {
        server = await Engine.start(null, { engine: engine.path, config })
      })
      after(() => server?.stop())
      define({
        engine,
        get server() {
          return server!
        },
        async client(t, ...lines) {
          const client = await RawClient.connect(t, server!.port)
          if (lines.length > 0) client.say(...lines)
          return client
        },
      })
    })
  }
}

/** Sends the lines and asserts what comes back before the PONG that ends it. */
export async function answers(client: RawClient, lines: string[], expected: string): Promise<void> {
  client.say(...lines)
  assert.equal(await client.flush(), expected)
}

/** Sends the lines and asserts that the connection ends after exactly these bytes. */
export async function ends(client: RawClient, lines: string[], expected: string): Promise<void> {
  client.say(...lines)
  assert.equal(await client.closed(), expected)
}

/**
 * The server has told this connection nothing: no event, no metric. It tells them when it gets to it, so no PING orders them, but
 * one after the other: the next one has to be that of a message which is traced now. The connection takes headers.
 */
export async function toldNothing(listener: RawClient): Promise<void> {
  const marker = 'marker.of.order'
  listener.sub(marker, 'marker')
  listener.hpub('anything', [`Nats-Trace-Dest: ${marker}`, 'Nats-Trace-Only: true'])
  const { subject, payload } = await listener.message()
  assert.equal(subject, marker, payload)
  listener.unsub('marker')
  // Another subscription may have it, too.
  for (const [, other] of (await listener.flush()).matchAll(/MSG (\S+) /g)) assert.equal(other, marker)
}

/** Waits until those who have left the account do not count any more for its limit; /connz has them as closed before. */
export async function nobodyIn(server: Engine, account: string): Promise<void> {
  const count = async (): Promise<number | undefined> => {
    const { account_statz } = await server.monitor<{ account_statz: { acc: string; conns: number }[] }>(
      '/accstatz?unused=1',
    )
    return account_statz.find(({ acc }) => acc === account)?.conns
  }
  await waitFor(async () => (await count()) === 0, { what: `nobody in ${account}` })
}

/** How a connection ended, as /connz has it. */
export async function closeReason(server: Engine, cid: number): Promise<string> {
  const read = async (): Promise<string | undefined> => {
    const path = '/connz?state=closed&limit=10000'
    const { connections } = await server.monitor<{ connections: { cid: number; reason?: string }[] }>(path)
    return connections.find((item) => item.cid === cid)?.reason
  }
  return waitFor(read, { what: `/connz to list ${cid} as closed` })
}

/** Lines as they come from the server. */
export const wire = (...lines: string[]): string => lines.map((line) => `${line}\r\n`).join('')

/** Asserts the next bytes, exactly. */
export async function exactly(client: RawClient, expected: string): Promise<void> {
  assert.equal((await client.bytes(expected.length)).toString('latin1'), expected)
}
