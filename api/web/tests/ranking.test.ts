import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ranked, verdict, worstPresent } from '../src/model/ranking.ts'
import { alarm, iso } from './documents.ts'

const KNOWN = { connected: true, heard: true, blindPoints: 0, ledger: true }
const back = { present: false, state: 'returned_unacknowledged' } as const

test('what is there comes before what has returned, however bad that was', () => {
  const present = alarm({ id: 'a', priority: 'info' })
  const returned = alarm({ id: 'b', priority: 'critical', ...back })
  assert.deepEqual(ranked([returned, present]), [present, returned])
})

test('then the worse, then the unseen, then the newer', () => {
  const worst = alarm({ id: 'a', priority: 'critical', state: 'acknowledged' })
  const unseen = alarm({ id: 'b', raised_at: iso(500) })
  const seenNewer = alarm({ id: 'c', state: 'acknowledged', raised_at: iso(10) })
  const seenOlder = alarm({ id: 'd', state: 'acknowledged', raised_at: iso(20) })
  const sorted = ranked([seenOlder, seenNewer, unseen, worst]).map(({ id }) => id)
  assert.deepEqual(sorted, ['a', 'b', 'c', 'd'])
})

test('nothing stands above fire and entrapment, not even when they have returned unseen', () => {
  const fire = alarm({ id: 'fire', priority: 'critical', life_safety: true })
  const wentOut = { ...fire, ...back, id: 'went out' }
  const seen = { ...wentOut, id: 'seen', state: 'latched' } as const
  const pump = alarm({ id: 'pump', priority: 'critical' })
  const sorted = ranked([seen, pump, wentOut, fire]).map(({ id }) => id)
  assert.deepEqual(sorted, ['fire', 'went out', 'pump', 'seen'])
})

test('what explains others stands above all but the critical ones', () => {
  const feeder = alarm({ id: 'feeder', priority: 'minor', explains: 14, first_out: true })
  const alone = alarm({ id: 'alone', first_out: true })
  const sump = alarm({ id: 'sump', priority: 'critical' })
  const sorted = ranked([alone, feeder, sump]).map(({ id }) => id)
  assert.deepEqual(sorted, ['sump', 'feeder', 'alone'])
})

test('only what is there colours the whole', () => {
  assert.equal(worstPresent([alarm({ priority: 'critical', ...back }), alarm()]), 'major')
  assert.equal(worstPresent([alarm({ ...back })]), null)
})

test('the verdict counts the worst and the rest', () => {
  const alarms = [alarm({ priority: 'critical' }), alarm(), alarm({ ...back })]
  assert.deepEqual(verdict(alarms, KNOWN), {
    kind: 'alarms',
    priority: 'critical',
    count: 1,
    others: 2,
  })
})

test('nothing is said to be well that is not known', () => {
  assert.deepEqual(verdict([], KNOWN), { kind: 'well' })
  assert.deepEqual(verdict([], { ...KNOWN, connected: false }), { kind: 'lost' })
  assert.deepEqual(verdict([], { ...KNOWN, heard: false }), { kind: 'silent' })
  assert.deepEqual(verdict([], { ...KNOWN, ledger: false }), { kind: 'unwritten' })
  assert.deepEqual(verdict([], { ...KNOWN, blindPoints: 3 }), {
    kind: 'blind',
    points: 3,
    returned: 0,
  })
  assert.deepEqual(verdict([alarm({ ...back })], { ...KNOWN, blindPoints: 3 }), {
    kind: 'blind',
    points: 3,
    returned: 1,
  })
})

test('an alarm is told even when the equipment is silent, but not when the page is cut off', () => {
  assert.equal(verdict([alarm()], { ...KNOWN, heard: false }).kind, 'alarms')
  assert.equal(verdict([alarm()], { ...KNOWN, connected: false }).kind, 'lost')
})

test('what has returned waits to be seen', () => {
  assert.deepEqual(verdict([alarm({ ...back })], KNOWN), { kind: 'returned', count: 1 })
})
