// Restrictions of users by place and time.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inNetworks, timeLeft } from '../src/auth/windows.ts'

const HOUR = 3600_000

describe('a window of time', () => {
  const at = (time: string, day = '2026-03-01'): Date => new Date(`${day}T${time}Z`)
  const night = [{ start: '22:00:00', end: '02:00:00' }]

  it('may cross midnight', () => {
    assert.equal(timeLeft(night, 'UTC', at('23:00:00')), 3 * HOUR)
    assert.equal(timeLeft(night, 'UTC', at('01:59:00')), 60_000)
    assert.equal(timeLeft(night, 'UTC', at('12:00:00')), null)
  })
  it('is of its zone, summer time included', () => {
    assert.equal(timeLeft(night, 'Asia/Tokyo', at('14:00:00')), 3 * HOUR)
    const morning = [{ start: '08:00:00', end: '10:00:00' }]
    assert.equal(timeLeft(morning, 'Europe/Berlin', at('08:30:00', '2026-01-15')), HOUR / 2)
    assert.equal(timeLeft(morning, 'Europe/Berlin', at('07:30:00', '2026-07-15')), HOUR / 2)
  })
  it('does not hold at its ends, and never when they are equal', () => {
    const morning = [{ start: '08:00:00', end: '10:00:00' }]
    assert.equal(timeLeft(morning, 'UTC', at('08:00:00')), null)
    assert.equal(timeLeft(morning, 'UTC', at('08:00:01')), 2 * HOUR - 1000)
    assert.equal(timeLeft(morning, 'UTC', at('10:00:00')), null)
    assert.equal(timeLeft([{ start: '10:00:00', end: '10:00:00' }], 'UTC', at('10:00:00')), null)
  })
  it('gives the longest of several', () => {
    const ranges = [
      { start: '08:00:00', end: '10:00:00' },
      { start: '08:00:00', end: '12:00:00' },
      { start: '20:00:00', end: '23:00:00' },
    ]
    assert.equal(timeLeft(ranges, 'UTC', at('09:00:00')), 3 * HOUR)
  })
})

describe('networks', () => {
  it('are of either family', () => {
    assert.ok(inNetworks('10.1.2.3', ['192.168.0.0/16', '10.0.0.0/8']))
    assert.ok(!inNetworks('11.1.2.3', ['10.0.0.0/8']))
    assert.ok(inNetworks('10.1.2.3', ['10.1.2.3/32']))
    assert.ok(!inNetworks('10.1.2.4', ['10.1.2.3/32']))
    assert.ok(inNetworks('fd00::1', ['fd00::/8']))
    assert.ok(!inNetworks('fe00::1', ['fd00::/8']))
    assert.ok(!inNetworks('10.1.2.3', ['fd00::/8']))
    assert.ok(inNetworks('8.8.8.8', ['0.0.0.0/0']))
  })
  it('that nobody can read let nobody in', () => {
    assert.ok(!inNetworks('10.1.2.3', ['nonsense']))
    assert.ok(!inNetworks('10.1.2.3', ['10.0.0.0/8', 'nonsense/8']))
  })
})
