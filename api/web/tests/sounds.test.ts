import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Alarm } from '../src/client/types.ts'
import { callsOf, due, heard, SILENT, type Calls, type Sound } from '../src/model/sounds.ts'
import { alarm } from './documents.ts'

const ALL = { lost: false, quiet: false }
const fire = alarm({ id: 'fire', priority: 'critical', life_safety: true })
const hot = alarm({ id: 'hot' })
const lamp = alarm({ id: 'lamp', priority: 'minor' })

/** The sounds with their seconds, when each second is asked and `at` says what calls. */
function played(seconds: number, at: (second: number) => Calls): [number, Sound][] {
  const found: [number, Sound][] = []
  let sounded = SILENT
  for (let second = 0; second < seconds; second += 1) {
    const [sound, after] = due(sounded, at(second), second * 1000)
    sounded = after
    if (sound !== null) found.push([second, sound])
  }
  return found
}

function calling(...alarms: Alarm[]): Calls {
  return heard(callsOf(alarms), ALL)
}

test('only what nobody has seen sounds, in a planned test too', () => {
  const quiet = (['acknowledged', 'latched', 'shelved', 'suppressed', 'out_of_service'] as const)
    .map((state) => alarm({ state, priority: 'critical' }))
  assert.deepEqual(played(60, () => calling(...quiet, alarm({ priority: 'info' }))), [])
  const tested = alarm({ ...fire, planned_test: 'test.1', held_until: null, confirmed_by: 'chen' })
  assert.equal(played(60, () => calling(tested)).length, 20)
  const gone = alarm({ ...fire, state: 'returned_unacknowledged', present: false })
  assert.equal(played(60, () => calling(gone)).length, 20)
})

test('critical goes on and on, major now and then, minor once', () => {
  assert.deepEqual(played(9, () => calling(fire)), [
    [0, 'critical'],
    [3, 'critical'],
    [6, 'critical'],
  ])
  assert.deepEqual(played(70, () => calling(hot)).map(([at]) => at), [0, 30, 60])
  assert.deepEqual(played(70, () => calling(lamp)).map(([at]) => at), [0])
})

test('the worst sounds alone; what came up meanwhile sounds when it is seen to', () => {
  const all = played(12, (at) => (at < 5 ? calling(fire, hot, lamp) : calling(hot, lamp)))
  assert.deepEqual(all, [
    [0, 'critical'],
    [3, 'critical'],
    [5, 'major'],
  ])
  assert.deepEqual(played(8, (at) => (at < 5 ? calling(hot, lamp) : calling(lamp))), [
    [0, 'major'],
    [5, 'minor'],
  ])
})

test('a new major sounds before its turn, a flood of them is no din', () => {
  const flood = (at: number): Calls =>
    calling(...Array.from({ length: at + 1 }, (_, n) => alarm({ id: `hot-${n}` })))
  assert.deepEqual(played(20, flood).map(([at]) => at), [0, 5, 10, 15])
})

test('what comes up again, or whose acknowledgement has run out, is new', () => {
  const again = played(20, (at) => calling({ ...lamp, count: at < 10 ? 1 : 2 }))
  assert.deepEqual(again.map(([at]) => at), [0, 10])
  const expired = played(20, (at) =>
    calling({ ...lamp, state: at > 5 && at < 12 ? 'acknowledged' : 'unacknowledged' }),
  )
  assert.deepEqual(expired.map(([at]) => at), [0, 12])
})

test('asked for quiet, critical sounds all the same, and so does a lost source', () => {
  const quiet = { lost: false, quiet: true }
  const calls = callsOf([hot, lamp])
  assert.deepEqual(played(60, () => heard(calls, quiet)), [])
  assert.equal(played(60, () => heard(callsOf([fire, hot]), quiet)).length, 20)
  assert.deepEqual(played(30, () => heard(calls, { lost: true, quiet: true })), [
    [0, 'lost'],
    [20, 'lost'],
  ])
})
