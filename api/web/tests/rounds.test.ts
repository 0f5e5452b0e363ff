import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { RoundItem, RoundSummary } from '../src/client/types.ts'
import {
  answered,
  beyond,
  byNeed,
  isForPerson,
  isOpenItem,
  need,
  needs,
  numberOf,
  proposed,
  sections,
  unchecked,
} from '../src/model/rounds.ts'
import { periodOf } from '../src/model/periods.ts'
import { iso } from './documents.ts'

function round(changes: Partial<RoundSummary> = {}): RoundSummary {
  return {
    id: 'daily-pump-room.b1-pump-room.2026-11-21',
    regime: 'daily-pump-room',
    name: { zh: '泵房日检', en: 'Pump room, daily' },
    form: null,
    level: 'daily',
    area: null,
    period: '2026-11-21',
    opens_at: iso(3600),
    due_at: iso(-3600),
    late_until: iso(-7200),
    version: null,
    state: 'due',
    items: { total: 4, automatic: 2, passed: 1, failed: 1, waiting: 1, handed_over: 1 },
    role: 'technician',
    countersign_role: null,
    started_at: null,
    done_at: null,
    done_by: null,
    done_by_name: null,
    countersigned_at: null,
    countersigned_by: null,
    countersigned_by_name: null,
    ...changes,
  }
}

function item(changes: Partial<RoundItem> = {}): RoundItem {
  return {
    key: 'pressure',
    section: null,
    name: { zh: '压力', en: 'Pressure' },
    guidance: null,
    kind: 'manual',
    answer: 'number',
    unit: 'MPa',
    low: null,
    high: null,
    choices: [],
    source: { zh: '惯例', en: 'practice' },
    severity: 'normal',
    equipment: null,
    point: null,
    state: 'waiting',
    why: null,
    reading: null,
    entry: null,
    finding: null,
    evidence: [],
    lacks: [],
    scan: null,
    photos: [],
    drift: null,
    spot_check: null,
    sampled: false,
    offline: [],
    ...changes,
  }
}

test('what needs a person now comes first, and of that what is due first', () => {
  const rounds = [
    round({ id: 'signed', state: 'done' }),
    round({ id: 'missed', state: 'missed' }),
    round({ id: 'coming', state: 'planned' }),
    round({ id: 'later', state: 'due', due_at: iso(-9000) }),
    round({ id: 'begun', state: 'in_progress' }),
    round({ id: 'unconfirmed', state: 'done', countersign_role: 'engineering_manager' }),
    round({ id: 'late', state: 'late', due_at: iso(60) }),
    round({ id: 'confirmed', state: 'countersigned', countersign_role: 'engineering_manager' }),
  ]
  assert.deepEqual(
    rounds.sort(byNeed).map(({ id }) => id),
    ['late', 'begun', 'later', 'unconfirmed', 'coming', 'missed', 'confirmed', 'signed'],
  )
})

test('a signed round needs somebody only where it is to be countersigned', () => {
  assert.equal(need(round({ state: 'done' })), 'done')
  assert.equal(need(round({ state: 'done', countersign_role: 'admin' })), 'countersign')
  assert.deepEqual(needs([round(), round({ state: 'late' }), round({ state: 'void' })]), {
    late: 1,
    open: 1,
    countersign: 0,
    coming: 0,
    missed: 0,
    done: 0,
    void: 1,
  })
})

test('an item is for a person unless telemetry answers it or still may', () => {
  assert.equal(isOpenItem(item()), true)
  assert.equal(isOpenItem(item({ kind: 'automatic' })), false)
  assert.equal(isOpenItem(item({ kind: 'automatic', state: 'handed_over' })), true)
  assert.equal(isOpenItem(item({ state: 'passed' })), false)
  assert.equal(isForPerson(item({ kind: 'automatic', state: 'failed' })), false)
  const entry = {
    id: '1',
    value: 1,
    note: null,
    by: 'li',
    by_name: null,
    via: 'session',
    taken_at: null,
    received_at: iso(1),
  }
  assert.equal(isForPerson(item({ state: 'failed', entry })), true)
  assert.equal(answered(round().items), 2)
})

test('a typed number has either decimal sign and is nothing else', () => {
  assert.equal(numberOf(' 0,42 '), 0.42)
  assert.equal(numberOf('2.3'), 2.3)
  assert.equal(numberOf('-5'), -5)
  for (const typed of ['', ' ', '2.3.4', 'abc', '1e999', '12 bar']) {
    assert.equal(numberOf(typed), null, typed)
  }
})

test('a limit itself still holds', () => {
  assert.equal(beyond({ low: 20, high: 75 }, 20), null)
  assert.equal(beyond({ low: 20, high: 75 }, 75), null)
  assert.equal(beyond({ low: 20, high: 75 }, 19.9), 'low')
  assert.equal(beyond({ low: null, high: 75 }, 75.1), 'high')
  assert.equal(beyond({ low: null, high: null }, -1e9), null)
})

test('sections are as the form has them', () => {
  const room = { zh: '机房', en: 'Room' }
  const found = sections([
    item({ key: 'a' }),
    item({ key: 'b', section: room }),
    item({ key: 'c', section: room }),
  ])
  assert.deepEqual(
    found.map(({ name, items }) => [name?.zh, items.map(({ key }) => key)]),
    [[undefined, ['a']], ['机房', ['b', 'c']]],
  )
})

test('what telemetry proposes stands in the field as it would be typed', () => {
  const reading = {
    value: 61.40000001,
    text: null,
    quality: 'good',
    source_time: null,
    received_at: null,
    age: 1,
    unit: '℃',
  } as const
  assert.equal(proposed(item({ kind: 'assisted', reading })), '61.4')
  assert.equal(proposed(item({ kind: 'automatic', reading })), null)
  assert.equal(proposed(item({ kind: 'assisted', reading: null })), null)
  assert.equal(proposed(item({ kind: 'assisted', answer: 'tick', reading })), null)
})

test('a drawn line counts as looked at whatever was found', () => {
  const spot_check = { agrees: false, note: 'x', by: 'chen', by_name: null, at: iso(0) }
  const rows = [
    item({ key: 'a', sampled: true }),
    item({ key: 'b', sampled: true, spot_check }),
    item({ key: 'c' }),
  ]
  assert.deepEqual(unchecked(rows), ['a'])
})

test('the period of a round is told by its kind, whatever the shift is called', () => {
  const told = (name: string): unknown[] => {
    const found = periodOf(name)
    return [found?.word, ...Object.values(found?.values ?? {})]
  }
  assert.deepEqual(told('2026-11-22'), ['day', '2026-11-22'])
  assert.deepEqual(told('2026-11-22-night-2'), ['shift', '2026-11-22', 'night-2'])
  assert.deepEqual(told('2026-W07'), ['week', '2026', '7'])
  assert.deepEqual(told('2026-11-H2'), ['secondHalf', '2026', '11'])
  assert.deepEqual(told('2026-04'), ['month', '2026', '4'])
  assert.deepEqual(told('2026-H1'), ['firstSix', '2026'])
  assert.deepEqual(told('2026-Q4'), ['quarter', '2026', '4'])
  assert.deepEqual(told('2026'), ['year', '2026'])
  assert.deepEqual(told('whenever'), [undefined])
})
