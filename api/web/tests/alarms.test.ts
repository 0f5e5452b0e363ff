import assert from 'node:assert/strict'
import { test } from 'node:test'

import { byCause, flooded, grouped, isAside, recent, waits } from '../src/model/alarms.ts'
import { alarm, iso, NOW } from './documents.ts'

test('only what nobody has seen waits; what is put aside calls nobody', () => {
  assert.equal(waits(alarm()), true)
  assert.equal(waits(alarm({ state: 'returned_unacknowledged', present: false })), true)
  for (const state of ['acknowledged', 'latched', 'shelved', 'suppressed'] as const) {
    assert.equal(waits(alarm({ state })), false)
  }
  assert.equal(isAside('suppressed'), true)
  assert.equal(isAside('latched'), false)
})

test('an effect hangs on its cause, the first of them first', () => {
  const cause = {
    id: 'ap3',
    name: { zh: '', en: '' },
    equipment: 'ap3',
    equipment_name: { zh: '', en: '' },
    raised_at: iso(0),
  }
  const one = alarm({ id: 'a', explained_by: cause, raised_at: iso(90) })
  const other = alarm({ id: 'b', explained_by: cause, raised_at: iso(80) })
  const lone = alarm({ id: 'c' })
  assert.deepEqual([...byCause([other, lone, one])], [
    ['ap3', [one, other]],
    ['', [lone]],
  ])
})

test('what came back within ten minutes counts as new', () => {
  const alarms = [
    alarm({ raised_at: iso(30) }),
    alarm({ raised_at: iso(5000), last_raised_at: iso(20) }),
    alarm({ raised_at: iso(601) }),
  ]
  assert.equal(recent(alarms, NOW), 2)
})

test('a flood begins with the eleventh and ends when there are few', () => {
  assert.equal(flooded(false, 10), false)
  assert.equal(flooded(false, 11), true)
  assert.equal(flooded(true, 5), true)
  assert.equal(flooded(true, 4), false)
})

test('a flood hides no fire and no first-out, whatever it groups', () => {
  const fire = alarm({ id: 'fire', equipment: 'x', life_safety: true, priority: 'critical' })
  const gone = alarm({
    id: 'gone',
    life_safety: true,
    state: 'returned_unacknowledged',
    present: false,
  })
  const feeder = alarm({ id: 'feeder', first_out: true, explains: 3 })
  const hot = alarm({ id: 'hot' })
  const warm = alarm({ id: 'warm', priority: 'minor', state: 'acknowledged' })
  const { first, groups } = grouped([fire, gone, feeder, hot, warm], ({ area }) => area)
  assert.deepEqual(first.map(({ id }) => id), ['fire', 'gone', 'feeder'])
  assert.deepEqual(groups, [
    {
      key: 'room',
      alarms: [hot, warm],
      counts: [
        { priority: 'major', n: 1 },
        { priority: 'minor', n: 1 },
      ],
      waiting: 1,
    },
  ])
})
