import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ServerClock } from '../src/model/clock.ts'
import { countdown, figure, span } from '../src/model/figures.ts'
import { merged, stretches } from '../src/model/gaps.ts'
import { hourOf, timeOfDay, when, zoneOffset } from '../src/model/moments.ts'
import { ring } from '../src/model/ring.ts'
import { DAY, marks } from '../src/model/strip.ts'
import { timeline } from '../src/model/timeline.ts'
import { alarm, clock, iso, NOW, order } from './documents.ts'

test('figures have thin spaces between thousands and a true minus', () => {
  assert.equal(figure(2184), '2\u2009184')
  assert.equal(figure(1234567.891, 2), '1\u2009234\u2009567.89')
  assert.equal(figure(-12.5, 1), '\u221212.5')
  assert.equal(figure(-0.04, 1), '0.0')
  assert.equal(figure(999), '999')
})

test('a clock’s face and lengths of time', () => {
  assert.equal(countdown(5_940_000), '1:39:00')
  assert.equal(countdown(78_999), '1:18')
  assert.equal(countdown(-78_000), '1:18')
  assert.deepEqual(span(3_900_000), [[1, 'hour'], [5, 'minute']])
  assert.deepEqual(span(7_200_000), [[2, 'hour']])
  assert.deepEqual(span(59_999), [[59, 'second']])
  assert.deepEqual(span(-5), [[0, 'second']])
})

test('the server’s clock is the least delayed of the last messages', () => {
  const server = new ServerClock(0)
  server.hear(1_000_000, 1000)
  server.hear(1_000_500, 4500) // three seconds under way
  assert.equal(server.at(5000), 1_004_000)
})

test('a server whose clock was put back is believed after half a minute', () => {
  const server = new ServerClock(0)
  server.hear(1_000_000, 0)
  server.hear(931_000, 31_000)
  assert.equal(server.at(31_000), 931_000)
})

test('a ring is what is left, by the page’s clock while it runs', () => {
  const running = ring(order({ clock: clock({ due_at: iso(-1800) }) }), NOW)
  assert.deepEqual([running.left, running.remaining, running.state], [0.25, 1_800_000, 'running'])
  const late = ring(order({ clock: clock({ due_at: iso(60) }) }), NOW)
  assert.deepEqual([late.left, late.remaining, late.state], [0, -60_000, 'late'])
})

test('the ring of a stopped clock stands still', () => {
  const stopped = clock({ state: 'stopped', due_at: iso(60), remaining_s: 3600 })
  const face = ring(order({ state: 'completed', clock: stopped }), NOW)
  assert.deepEqual([face.left, face.remaining, face.state], [0.5, 3_600_000, 'done'])
})

test('gaps are cut to what is shown, and one that lasts ends with it', () => {
  const gap = (start: number, end: number | null) => ({
    start: iso(start),
    end: end === null ? null : iso(end),
    reason: 'no_reply',
  })
  const found = stretches({
    start: iso(60),
    end: iso(0),
    gaps: [gap(90, 50), gap(20, null), gap(200, 100)],
  })
  assert.deepEqual(
    found.map(({ start, end }) => [NOW - start, NOW - end]),
    [
      [60_000, 50_000],
      [20_000, 0],
    ],
  )
})

test('stretches that touch become one', () => {
  const stretches = [
    { start: 5, end: 9 },
    { start: 0, end: 2 },
    { start: 2, end: 3 },
    { start: 8, end: 12 },
  ]
  assert.deepEqual(merged(stretches), [
    { start: 0, end: 3 },
    { start: 5, end: 12 },
  ])
})

test('a day’s marks are cut at its edges, the worst on top', () => {
  const old = alarm({ id: 'old', raised_at: iso(90_000), cleared_at: iso(88_000) })
  const long = alarm({ id: 'long', priority: 'critical', raised_at: iso(100_000) })
  const short = alarm({ id: 'short', raised_at: iso(43_200), cleared_at: iso(21_600) })
  const found = marks([old, long, short], NOW)
  assert.deepEqual(
    found.map(({ id }) => id),
    ['short', 'long'],
  )
  assert.deepEqual([found[0]?.left, found[0]?.width], [0.5, 0.25])
  assert.deepEqual([found[1]?.left, found[1]?.width], [0, 1])
  assert.equal(DAY, 86_400_000)
})

test('happenings of alarms and orders in one line, the newest first', () => {
  const found = timeline(
    [alarm({ raised_at: iso(60), acknowledged_at: iso(30), acknowledged_by: 'li' })],
    [order({ created_at: iso(59), accepted_at: iso(10), accepted_by: 'wang' })],
    3,
  )
  assert.deepEqual(
    found.map(({ what, by }) => [what, by]),
    [
      ['accept', 'wang'],
      ['acknowledged', 'li'],
      ['create', null],
    ],
  )
})

test('of an order every step is told whose history is known, else what has a moment', () => {
  const step = (secondsAgo: number, event: string, by: string | null = null) => ({
    at: iso(secondsAgo),
    event,
    from_state: '',
    to_state: '',
    by,
    why: null,
  })
  const steps = ['create', 'assign', 'decline', 'assign', 'accept', 'suspend', 'resume', 'void']
  const events = steps.map((event, index) => step(90 - index, event, 'qian'))
  const whole = timeline([], [order({ events })], 20)
  assert.deepEqual(whole.map(({ what }) => what), steps.toReversed())

  const moments = order({
    created_at: iso(90),
    assigned_at: iso(90),
    arrived_at: iso(60),
    verified_at: iso(20),
    closed_at: iso(20),
  })
  // Closed by the verdict: that is one thing to a person, and of one moment the last stands above.
  const known = timeline([], [moments], 20)
  assert.deepEqual(known.map(({ what }) => what), ['verify', 'arrive', 'assign', 'create'])
})

test('times are the site’s, not the browser’s', () => {
  const zone = 'Asia/Shanghai'
  assert.equal(timeOfDay(NOW, zone), '18:00:00')
  assert.equal(hourOf(NOW, zone), 18)
  assert.equal(zoneOffset(NOW, zone), 8 * 3_600_000)
  assert.equal(when(NOW - 3_600_000, NOW, zone), '17:00:00')
  assert.equal(when(NOW - DAY, NOW, zone), '11-20 18:00:00')
})
