// Operations and their arguments, subjects, delivery, headers, no-responders. Source: the NATS client protocol.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { answers, ends, exactly, FULL, onEveryEngine, QUIET, wire } from './support.ts'

onEveryEngine('the client protocol', '', ({ client }) => {
  it('greets with INFO that ends in a blank before CRLF', async (t) => {
    const one = await client(t)
    assert.equal(one.info['proto'], 1)
    assert.equal(one.info['max_payload'], 1048576)
    assert.equal(one.info['headers'], true)
    assert.equal(one.info['auth_required'], undefined)
    assert.equal(one.info['nonce'], undefined)
    assert.equal(one.info['client_ip'], '127.0.0.1')
    assert.match(String(one.info['server_id']), /^N[A-Z2-7]{55}$/)
  })

  it('takes absent flags of CONNECT as true and operation names in any case', async (t) => {
    await answers(await client(t), ['CONNECT {}'], wire('+OK'))
    const other = await client(t)
    other.send('connect{}\nping\n')
    await exactly(other, wire('+OK', 'PONG'))
    await answers(await client(t), ['CONNECT {"VERBOSE":false}'], '')
  })

  for (const bad of ['{bad}', '{"verbose":"no"}', '[]']) {
    it(`closes without a word on CONNECT ${bad}`, async (t) => ends(await client(t), [`CONNECT ${bad}`], ''))
  }

  it('ignores what follows PING, PONG and +OK', async (t) => {
    const one = await client(t, QUIET, 'PING x y', 'PONG z', '+OK q', 'PING')
    await exactly(one, wire('PONG', 'PONG'))
  })

  for (const line of ['', ' PING', 'MSG foo 1 2', 'A+ x', 'RS+ x y', 'XYZ']) {
    it(`refuses ${JSON.stringify(line)} as an unknown operation`, async (t) => {
      await ends(await client(t, QUIET), [line], wire("-ERR 'Unknown Protocol Operation'"))
    })
  }

  it('closes without a word when the client sends an error', async (t) =>
    ends(await client(t, QUIET), ["-ERR 'x'"], ''))

  it('splits arguments at runs of blanks and repeats the digits of the size', async (t) => {
    await answers(
      await client(t, QUIET),
      ['SUB\tfoo\t 1 ', 'PUB foo  002', 'hi'],
      wire('MSG foo 1 002', 'hi'),
    )
  })

  it('insists on CRLF behind a payload', async (t) => {
    const one = await client(t, QUIET, 'SUB foo 1')
    one.send('PUB foo 2\nhi\n')
    assert.equal(await one.closed(), wire("-ERR 'Unknown Protocol Operation'"))
  })

  for (const line of [
    'PUB foo',
    'PUB foo abc',
    'PUB foo 0000000002',
    'SUB foo',
    'SUB a b c d',
    'UNSUB 1 2 3',
    'PUB a b c 1',
    'HPUB foo 12 12',
    // One CR belongs to the end of the line, the other one to the number.
    'PUB foo 2\r',
  ]) {
    it(`closes without a word on ${JSON.stringify(line)}`, async (t) =>
      ends(await client(t, QUIET), [line], ''))
  }

  for (const subject of ['foo..bar', '.foo', 'foo.', 'foo.>.x']) {
    it(`refuses SUB ${subject} and stays`, async (t) =>
      answers(await client(t, QUIET), [`SUB ${subject} 1`], wire("-ERR 'Invalid Subject'")))
  }

  it('takes wildcards inside tokens and in publishes as literal text', async (t) => {
    await answers(await client(t, QUIET), ['SUB fo*o 5', 'PUB fo*o 1', 'x'], wire('MSG fo*o 5 1', 'x'))
    const other = await client(t, QUIET, 'SUB foo.bar 1', 'SUB foo.> 2')
    await answers(other, ['PUB foo.* 1', 'x'], wire('MSG foo.* 2 1', 'x'))
  })

  it('delivers to nobody on a subject with an empty token', async (t) => {
    await answers(
      await client(t, QUIET, 'SUB > 1'),
      ['PUB a..b 1', 'x', 'PUB .a 1', 'x', 'PUB a. 1', 'x'],
      '',
    )
  })

  it('reports a wildcard publish in pedantic mode and delivers it all the same', async (t) => {
    await answers(
      await client(t, 'CONNECT {}'),
      ['SUB foo.* 1', 'PUB foo.* 1', 'x'],
      wire('+OK', '+OK', "-ERR 'Invalid Publish Subject'", '+OK', 'MSG foo.* 1 1', 'x'),
    )
  })

  it('reports it before the payload, also when that is wrong', async (t) =>
    ends(
      await client(t, 'CONNECT {"verbose":false}'),
      ['PUB foo.* 1', 'xyz'],
      wire("-ERR 'Invalid Publish Subject'", "-ERR 'Unknown Protocol Operation'"),
    ))

  it('acknowledges a publish before its delivery', async (t) => {
    await answers(
      await client(t, 'CONNECT {}'),
      ['SUB foo 1', 'PUB foo 2', 'hi'],
      wire('+OK', '+OK', '+OK', 'MSG foo 1 2', 'hi'),
    )
  })

  it('ignores a second subscription with a sid that is in use', async (t) => {
    await answers(
      await client(t, QUIET),
      ['SUB foo 1', 'SUB bar 1', 'PUB bar 0', '', 'PUB foo 0', ''],
      wire('MSG foo 1 0', ''),
    )
  })

  it('does not look at the subject of such a subscription', async (t) =>
    answers(await client(t, 'CONNECT {}'), ['SUB foo 1', 'SUB a..b 1'], wire('+OK', '+OK', '+OK')))

  it('acknowledges UNSUB of an unknown sid', async (t) =>
    answers(await client(t, 'CONNECT {}'), ['UNSUB 77'], wire('+OK', '+OK')))

  it('ends a subscription after max messages, counted from its creation', async (t) => {
    const three = ['PUB foo 1', 'a', 'PUB foo 1', 'b', 'PUB foo 1', 'c']
    await answers(
      await client(t, QUIET, 'SUB foo 1', 'UNSUB 1 2'),
      three,
      wire('MSG foo 1 1', 'a', 'MSG foo 1 1', 'b'),
    )
    const other = await client(t, QUIET, 'SUB foo 1')
    await answers(
      other,
      ['PUB foo 1', 'a', 'UNSUB 1 2', 'PUB foo 1', 'b', 'PUB foo 1', 'c'],
      wire('MSG foo 1 1', 'a', 'MSG foo 1 1', 'b'),
    )
    const raised = await client(t, QUIET, 'SUB foo 1', 'UNSUB 1 1', 'UNSUB 1 2')
    await answers(raised, three, wire('MSG foo 1 1', 'a', 'MSG foo 1 1', 'b'))
  })

  for (const max of ['-1', '0', 'abc']) {
    it(`unsubscribes at once on UNSUB 1 ${max}`, async (t) =>
      answers(await client(t, QUIET), ['SUB foo 1', `UNSUB 1 ${max}`, 'PUB foo 0', ''], ''))
  }

  it('delivers empty headers as a plain message and refuses headers longer than the whole', async (t) => {
    await answers(
      await client(t, FULL),
      ['SUB foo 1', 'HPUB foo 0 2', 'hi'],
      wire('MSG foo 1 2', 'hi'),
    ).catch(async () => {
      // The first flush of a protocol 1 client also brings INFO behind the PONG; what came before it is compared.
      throw new Error('unexpected delivery')
    })
    await ends(await client(t, QUIET.replace('}', ',"headers":true}')), ['HPUB foo 5 2'], '')
  })

  it('strips headers for receivers without them', async (t) => {
    const plain = await client(t, QUIET, 'SUB foo 1')
    await plain.flush()
    const rich = await client(t, FULL, 'SUB foo 2')
    await answers(
      rich,
      ['HPUB foo r 12 14', 'NATS/1.0\r\n\r\nhi'],
      wire('HMSG foo 2 r 12 14', 'NATS/1.0', '', 'hi'),
    )
    assert.equal(await plain.flush(), wire('MSG foo 1 r 2', 'hi'))
  })

  const nobody = (reply: string, sid: string, subject: string): string =>
    `HMSG ${reply} ${sid} ${32 + subject.length} ${32 + subject.length}\r\nNATS/1.0 503\r\nNats-Subject: ${subject}\r\n\r\n\r\n`

  it('tells a requester that nobody responds', async (t) => {
    await answers(await client(t, FULL), ['SUB in.* 9', 'PUB foo in.1 2', 'hi'], nobody('in.1', '9', 'foo'))
    await answers(await client(t, FULL), ['SUB in.1 q 9', 'PUB foo in.1 2', 'hi'], '')
    await answers(await client(t, FULL), ['SUB in.1 9', 'PUB a..b in.1 0', ''], nobody('in.1', '9', 'a..b'))
    const silent = await client(t, FULL.replace('}', ',"echo":false}'))
    await answers(silent, ['SUB foo 1', 'SUB in 2', 'PUB foo in 0', ''], nobody('in', '2', 'foo'))
  })

  it('does not count a 503 towards UNSUB max', async (t) => {
    const one = await client(t, FULL, 'SUB in.1 9', 'UNSUB 9 1')
    await answers(
      one,
      ['PUB foo in.1 0', '', 'PUB in.1 2', 'ok'],
      `${nobody('in.1', '9', 'foo')}${wire('MSG in.1 9 2', 'ok')}`,
    )
  })

  it('refuses what CONNECT asks for and cannot have', async (t) => {
    await ends(
      await client(t),
      ['CONNECT {"no_responders":true,"verbose":false}'],
      wire("-ERR 'no responders requires headers support'"),
    )
    await ends(
      await client(t),
      ['CONNECT {"protocol":2,"verbose":false}'],
      wire("-ERR 'invalid client protocol'"),
    )
    await ends(
      await client(t),
      ['CONNECT {"account":"x","verbose":false}'],
      wire("-ERR 'Authorization Violation'"),
    )
  })

  it('keeps reserved subjects and replies for servers', async (t) => {
    const one = await client(t, QUIET)
    await answers(
      one,
      ['PUB foo _R_.x 0', ''],
      wire(`-ERR 'Permissions Violation for Publish with Reply of "_R_.x"'`),
    )
    await answers(
      one,
      ['PUB foo $JS.ACK.x 0', ''],
      wire(`-ERR 'Permissions Violation for Publish with Reply of "$JS.ACK.x"'`),
    )
    await answers(one, ['PUB _GR_.x 0', ''], wire(`-ERR 'Permissions Violation for Publish to "_GR_.x"'`))
    await answers(one, ['PUB $NRG.x 0', ''], wire(`-ERR 'Permissions Violation for Publish to "$NRG.x"'`))
    await answers(
      one,
      ['SUB foo _sys_ 1'],
      wire(`-ERR 'Permissions Violation for Subscription to "foo" using queue "_sys_"'`),
    )
  })

  it('allows 4096 bytes of arguments and not one more', async (t) => {
    const longest = 'a'.repeat(4094)
    await answers(await client(t, QUIET), [`SUB ${longest} 1`], '')
    await ends(await client(t, QUIET), [`SUB ${longest}a 1`], wire("-ERR 'maximum control line exceeded'"))
  })

  it('ends an endless line', async (t) => {
    const one = await client(t, QUIET)
    one.send(`PUB ${'a'.repeat(20_000)}`)
    assert.equal(await one.closed(), wire("-ERR 'maximum control line exceeded'"))
  })

  it('refuses a payload over the limit before it arrives', async (t) => {
    await ends(await client(t, QUIET), ['PUB foo 1048577'], wire("-ERR 'Maximum Payload Violation'"))
  })

  it('drops all subscriptions at a second CONNECT', async (t) => {
    await answers(await client(t, QUIET, 'SUB foo 1', QUIET), ['PUB foo 0', ''], '')
  })

  it('takes a queue name over different subjects as one group', async (t) => {
    const one = await client(t, QUIET, 'SUB foo.* q 1', 'SUB foo.> q 2', 'SUB foo.bar q2 3')
    one.say('PUB foo.bar 0', '')
    const got = await one.flush()
    assert.equal(got.match(/MSG/g)?.length, 2)
    assert.match(got, /MSG foo\.bar 3 0/)
    assert.match(got, /MSG foo\.bar [12] 0/)
  })

  it('sends a second INFO behind the first PONG', async (t) => {
    const one = await client(t, FULL)
    assert.equal(await one.flush(), '')
    const info = JSON.parse((await one.line()).slice(5)) as Record<string, unknown>
    assert.equal(info['connect_info'], true)
    assert.equal(info['remote_account'], '$G')
    assert.equal(info['nonce'], undefined)
    assert.equal(await one.flush(), '')
    assert.equal(await one.flush(), '')
  })

  it('gives each of several subscriptions of one connection a copy, unless echo is off', async (t) => {
    const one = await client(t, QUIET, 'SUB foo 1', 'SUB foo 2')
    one.say('PUB foo 1', 'x')
    assert.equal((await one.flush()).match(/MSG foo [12] 1/g)?.length, 2)
    await answers(await client(t, QUIET.replace('}', ',"echo":false}')), ['SUB foo 1', 'PUB foo 1', 'x'], '')
  })

  it('carries any bytes in subjects and payloads', async (t) => {
    const one = await client(t, QUIET, 'SUB \x00\xff\x07 1')
    await answers(one, ['PUB \x00\xff\x07 3', '\x00\r\n'], wire('MSG \x00\xff\x07 1 3', '\x00\r\n'))
  })

  it('gives the same answers however the bytes are cut', async (t) => {
    const talk = `${FULL}\r\nSUB foo.* 1\r\nPUB foo.a 5\r\nhello\r\nHPUB foo.b re 12 14\r\nNATS/1.0\r\n\r\nhi\r\nPING extra\r\nUNSUB 1\r\nPUB foo.a 0\r\n\r\n`
    const expected = wire('MSG foo.a 1 5', 'hello', 'HMSG foo.b 1 re 12 14', 'NATS/1.0', '', 'hi')
    const cuts = Array.from({ length: talk.length - 1 }, (_, i) => i + 1).filter(
      (cut) => cut > FULL.length - 3,
    )
    for (const cut of cuts) {
      const one = await client(t)
      one.send(talk.slice(0, cut))
      await new Promise((resolve) => setImmediate(resolve))
      one.send(talk.slice(cut))
      await exactly(one, `${expected}PONG\r\n`)
      one.destroy()
    }
    const slow = await client(t)
    for (const byte of talk) slow.send(byte)
    await exactly(slow, `${expected}PONG\r\n`)
  })

  it('delivers a large payload whole, in any direction', async (t) => {
    const payload = Buffer.alloc(1_000_000, 'abcdefghij').toString()
    const whole = wire(`MSG big 1 ${payload.length}`, payload, 'MSG big 1 2', 'ok')
    const receiver = await client(t, QUIET, 'SUB big 1')
    await receiver.flush()
    const sender = await client(t, QUIET)
    sender.say(`PUB big ${payload.length}`, payload, 'PUB big 2', 'ok')
    assert.ok((await receiver.bytes(whole.length)).equals(Buffer.from(whole)), 'every byte arrived')
  })
})
