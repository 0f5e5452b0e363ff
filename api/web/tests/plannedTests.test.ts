import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Equipment, PlannedTest, RuleSummary, SheetRow } from '../src/client/types.ts'
import {
  byTurn,
  detectors,
  holdOf,
  isGrave,
  noted,
  rowState,
  rulesFor,
  sheetOf,
  usuallyExpected,
  usualTimes,
} from '../src/model/plannedTests.ts'
import { otherTest, refusedPlan } from '../src/model/refusedPlans.ts'
import { alarm, iso, NOW } from './documents.ts'

const name = { zh: '', en: '' }

function row(equipment: string, changes: Partial<SheetRow> = {}): SheetRow {
  return {
    equipment,
    equipment_name: name,
    rule: 'fire-alarm',
    rule_name: name,
    life_safety: true,
    came_at: null,
    alarm: null,
    ...changes,
  }
}

function planned(changes: Partial<PlannedTest> = {}): PlannedTest {
  const tested = (equipment: string) => ({
    equipment,
    equipment_name: name,
    held_until: null,
    confirmed_at: null,
    confirmed_by: null,
  })
  return {
    id: 'test.1',
    name: '',
    area: 'tower-1',
    tester: 'li',
    tester_name: '',
    starts_at: iso(600),
    ends_at: iso(-6600),
    state: 'running',
    created_at: iso(900),
    created_by: 'chen',
    started_at: iso(600),
    ended_at: null,
    note: null,
    expected: 2,
    came: 0,
    equipment: [tested('smoke-1'), tested('smoke-2')],
    sheet: [row('smoke-1'), row('smoke-2')],
    events: null,
    ...changes,
  }
}

const tried = (changes: Parameters<typeof alarm>[0]) =>
  alarm({ equipment: 'smoke-1', planned_test: 'test.1', ...changes })

test('an alarm under test is held for its minute, and then says that others are called', () => {
  assert.equal(holdOf(alarm(), NOW), null)
  const held = holdOf(tried({ held_until: iso(-15) }), NOW)
  assert.deepEqual(held, { state: 'held', left: 0.25, remaining: 15_000 })
  // The server has not said yet that it calls: the page does not say that it waits.
  assert.equal(holdOf(tried({ held_until: iso(1) }), NOW)?.state, 'due')
  assert.equal(holdOf(tried({}), NOW)?.state, 'called')
  assert.equal(holdOf(tried({ confirmed_by: 'li' }), NOW)?.state, 'confirmed')
})

test('of the alarms of a detector the most pressing one stands for it', () => {
  const up = [
    tried({ id: 'a', confirmed_by: 'li' }),
    tried({ id: 'b', held_until: iso(-50) }),
    tried({ id: 'c', held_until: iso(-20) }),
    tried({ id: 'd', held_until: iso(-5), present: false }),
    tried({ id: 'e', held_until: iso(-5), planned_test: 'test.2' }),
  ]
  const [first, second] = detectors(planned(), up, NOW)
  assert.deepEqual([first?.alarm?.id, first?.hold?.remaining], ['c', 20_000])
  assert.deepEqual([second?.hold, second?.rows.length], [null, 1])
})

test('a row of the sheet waits while the test runs, and is missing when that is over', () => {
  assert.equal(rowState(row('smoke-1'), { state: 'running' }), 'waiting')
  assert.equal(rowState(row('smoke-1'), { state: 'failed' }), 'missing')
  assert.equal(rowState(row('smoke-1'), { state: 'cancelled' }), 'undone')
  assert.equal(rowState(row('smoke-1', { came_at: iso(1) }), { state: 'failed' }), 'came')
})

test('what runs stands first, then what comes next, then what was last', () => {
  const tests = [
    planned({ id: 'old', state: 'passed', starts_at: iso(9000) }),
    planned({ id: 'later', state: 'planned', starts_at: iso(-9000) }),
    planned({ id: 'recent', state: 'cancelled', starts_at: iso(5000) }),
    planned({ id: 'next', state: 'planned', starts_at: iso(-60) }),
    planned({ id: 'runs' }),
  ]
  const found = tests.sort(byTurn).map(({ id }) => id)
  assert.deepEqual(found, ['runs', 'next', 'later', 'recent', 'old'])
})

test('a plan expects of each detector what its first rule about fire says', () => {
  const thing = (id: string, kind: string, points: string[]) =>
    ({ id, class: kind, points: points.map((key) => ({ id: `${id}.${key}` })) }) as Equipment
  const rule = (id: string, kind: string, point: string, life_safety = false) =>
    ({ id, class: kind, point, life_safety }) as RuleSummary
  const things = [thing('s-1', 'fire_detector', ['fire', 'dust']), thing('s-2', 'fire_detector', ['fire'])]
  const book = [
    rule('dusty', 'fire_detector', 'dust'),
    rule('burns', 'fire_detector', 'fire', true),
    rule('gas', 'fire_detector', 'fire', true),
    rule('hot', 'pump', 'fire'),
    rule('elsewhere', 'fire_detector', 'none'),
  ]
  const rules = rulesFor(things, book)
  assert.deepEqual(rules.map(({ id }) => id), ['dusty', 'burns', 'gas'])
  assert.deepEqual(usuallyExpected(rules), ['burns'])
  assert.deepEqual(sheetOf(things, rules, new Set(['dusty', 'burns'])), [
    { equipment: 's-1', rules: ['dusty', 'burns'] },
    { equipment: 's-2', rules: ['burns'] },
  ])
  assert.ok(isGrave(things, []))
  assert.ok(!isGrave([{ class: 'pump' }], [rule('hot', 'pump', 'fire')]))
  const { from, until } = usualTimes(NOW + 59_999)
  assert.deepEqual([from - NOW, until - from], [0, 7_200_000])
})

test('what the server notes of a test is told apart', () => {
  const one = planned()
  const called = noted(one, 'smoke-2 fire-alarm: nobody confirmed it')
  assert.deepEqual([called.row?.equipment, called.called], ['smoke-2', 'unconfirmed'])
  assert.equal(noted(one, 'smoke-1 fire-alarm: smoke-9 fire-alarm came too').called, 'too')
  assert.deepEqual(noted(one, 'smoke-1 fire-alarm'), { row: one.sheet[0], called: null })

  assert.deepEqual(refusedPlan('wu does not test equipment'), { word: 'untrained', name: 'wu' })
  assert.deepEqual(refusedPlan('lies in the past'), { word: 'past', name: '' })
  assert.equal(refusedPlan('something else'), null)
  assert.equal(otherTest('The test A (2) has some of this equipment at that time.'), 'A (2)')
  assert.equal(otherTest('x'), '')
})
