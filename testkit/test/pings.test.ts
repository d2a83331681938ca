import assert from 'node:assert/strict'
import { it } from 'node:test'
import { PingFilter } from '../src/pings.ts'

it('PINGs of a server are taken out wherever they are cut, and payloads that look like them are not', () => {
  const said = [
    'INFO {}\r\n',
    'PING\r\n',
    'MSG a 1 6\r\nPING\r\n\r\n',
    'PING\r\nPING\r\n',
    'HMSG a 1 r 12 20\r\nNATS/1.0\r\n\r\n\r\nPING\r\n\r\n',
    'PONG\r\n',
    'PING\r\n',
    "-ERR 'PING'\r\n",
    'PIN',
  ].join('')
  const expected = said.replaceAll(/(^|\r\n)(PING\r\n)+(?=MSG|HMSG|-ERR)/g, '$1')
  for (let cut = 0; cut <= said.length; cut++) {
    const filter = new PingFilter()
    let heard = ''
    let pings = 0
    for (const piece of [said.slice(0, cut), said.slice(cut)]) {
      const fed = filter.feed(Buffer.from(piece, 'latin1'))
      heard += fed.bytes.toString('latin1')
      pings += fed.pings
    }
    assert.equal(heard + filter.end().toString('latin1'), expected, `cut at ${cut}`)
    assert.equal(pings, 4)
  }
})
