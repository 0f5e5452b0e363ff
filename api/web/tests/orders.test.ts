import assert from 'node:assert/strict'
import { test } from 'node:test'

import { momentOf, wallTime } from '../src/model/moments.ts'
import {
  byNeed,
  columnOf,
  isWanted,
  materialCost,
  mayTake,
  nextStep,
  stepsOf,
  type Step,
} from '../src/model/orders.ts'
import { isAskedBy, usualPromises } from '../src/model/requests.ts'
import { course, isOutside, ring } from '../src/model/ring.ts'
import { clock, iso, NOW, order } from './documents.ts'

const requester = { name: '王女士', phone: '139 0000-0000', place: '1 号楼 2 单元 801' }

test('the step that stands out is the first that who looks may do', () => {
  const open = stepsOf(order({ state: 'open' }))
  assert.equal(nextStep(open, (step) => step === 'accept'), 'accept')
  assert.equal(nextStep(open, (step) => step === 'assign' || step === 'accept'), 'assign')
  const accepted = stepsOf(order({ state: 'accepted' }))
  assert.equal(nextStep(accepted, () => true), 'arrive')
})

test('who may do nothing sees whom the order waits for, and making it void never stands out', () => {
  const assigned = stepsOf(order({ state: 'assigned' }))
  assert.equal(nextStep(assigned, () => false), 'accept')
  assert.equal(nextStep(assigned, (step: Step) => step === 'void' || step === 'assign'), 'accept')
  assert.equal(nextStep(stepsOf(order({ state: 'void' })), () => true), null)
})

test('work is of whoever has the order, who may hand it on; who gives orders out stands in', () => {
  const of = (...permissions: string[]) => (username: string) => ({
    username,
    may: (permission: string) => permissions.includes(permission),
  })
  const technician = of('order.accept', 'order.complete')
  const foreman = of('order.accept', 'order.complete', 'order.assign')
  const his = order({ state: 'accepted', assigned_to: 'li' })
  assert.ok(mayTake(his, 'arrive', technician('li')))
  assert.ok(!mayTake(his, 'arrive', technician('zhao')))
  assert.ok(mayTake(his, 'arrive', foreman('qian')))
  assert.ok(mayTake(his, 'assign', technician('li')))
  assert.ok(!mayTake(his, 'assign', technician('zhao')))
  assert.ok(mayTake(order(), 'accept', technician('zhao')))
  assert.ok(!mayTake(his, 'verify', foreman('qian')))
})

test('nobody is visited who has asked for nothing', () => {
  assert.deepEqual(stepsOf(order({ state: 'verified' })), ['reject'])
  assert.deepEqual(stepsOf(order({ state: 'verified', requester })), ['visit', 'reject'])
})

test('an order stands in one column of the board until it is over', () => {
  assert.equal(columnOf('on_site'), 'working')
  assert.equal(columnOf('suspended'), 'suspended')
  assert.equal(columnOf('closed'), null)
  assert.equal(columnOf('void'), null)
})

test('what needs somebody comes first: to be done, then critical, then soon over', () => {
  const done = order({ id: 'done', state: 'completed', priority: 'critical' })
  const soon = order({ id: 'soon', clock: clock({ due_at: iso(-60) }) })
  const late = order({ id: 'later', clock: clock({ due_at: iso(-600) }) })
  const critical = order({ id: 'critical', priority: 'critical', clock: clock({ due_at: iso(-900) }) })
  const sorted = [done, late, soon, critical].sort(byNeed).map(({ id }) => id)
  assert.deepEqual(sorted, ['critical', 'soon', 'later', 'done'])
})

test('an order is wanted where it is all that is looked for', () => {
  const one = order({ assigned_to: 'li', area: 'room', category: 'lift', source: 'person' })
  const all = { holder: '', area: '', category: '', source: '' } as const
  assert.ok(isWanted(one, all))
  assert.ok(isWanted(one, { ...all, holder: 'li', area: 'room', category: 'lift', source: 'person' }))
  assert.ok(!isWanted(one, { ...all, holder: 'zhao' }))
  assert.ok(!isWanted(one, { ...all, source: 'alarm' }))
})

test('materials cost what is known of them, and nothing known is not zero', () => {
  const material = { name: '软管', quantity: 2, unit: '根', price: 36.5 }
  assert.equal(materialCost(order({ materials: [material, { ...material, price: null }] })), 73)
  assert.equal(materialCost(order({ materials: [{ ...material, price: null }] })), null)
})

test('a paused clock stands however late the page looks', () => {
  const paused = clock({ state: 'paused', remaining_s: 1800, limit_s: 7200, due_at: iso(60) })
  const face = ring(order({ clock: paused }), NOW)
  assert.deepEqual([face.left, face.remaining, face.state], [0.25, 1_800_000, 'paused'])
  assert.equal(ring(order({ clock: { ...paused, remaining_s: -5 } }), NOW).state, 'late')
  assert.equal(ring(order({ clock: clock({ state: 'waiting' }) }), NOW).state, 'waiting')
})

test('a clock that was too late stands where what it measures has been reached', () => {
  const late = clock({ name: 'respond', state: 'breached', due_at: iso(600), remaining_s: -60 })
  assert.deepEqual(ring(order({ clock: late }), NOW).remaining, -600_000)
  const accepted = ring(order({ state: 'accepted', accepted_at: iso(540), clock: late }), NOW)
  assert.deepEqual([accepted.remaining, accepted.state], [-60_000, 'done'])
  const waits = clock({ state: 'breached', due_at: iso(600), remaining_s: -60 })
  assert.equal(ring(order({ state: 'suspended', clock: waits }), NOW).remaining, -60_000)
  assert.equal(ring(order({ state: 'void', clock: waits }), NOW).state, 'done')
})

test('of working time never more is left than was told, and at last what is until the end', () => {
  const work = clock({ calendar: 'working_time', limit_s: 28_800, remaining_s: 7200 })
  const overnight = ring(order({ clock: { ...work, due_at: iso(-64_800) } }), NOW)
  assert.deepEqual([overnight.remaining, overnight.left], [7_200_000, 0.25])
  const soon = ring(order({ clock: { ...work, due_at: iso(-600) } }), NOW)
  assert.equal(soon.remaining, 600_000)
  assert.equal(course(order(), NOW, { ...work, due_at: iso(-64_800) })?.done, 0.75)
})

test('a clock that stands in the evening is not one that waits for parts', () => {
  const paused = clock({ calendar: 'working_time', state: 'paused' })
  const evening = order({ state: 'open', clock: paused })
  assert.ok(isOutside(evening, ring(evening, NOW)))
  const parts = order({ state: 'suspended', clock: paused })
  assert.ok(!isOutside(parts, ring(parts, NOW)))
})

test('the course of a clock shows what was counted, what was not, and when time was over', () => {
  const running = clock({
    started_at: iso(600),
    due_at: iso(-600),
    pauses: [{ start: iso(300), end: iso(0), why: 'parts' }],
  })
  const half = course(order(), NOW, running)
  assert.deepEqual(half?.pauses, [{ from: 0.25, to: 0.5, why: 'parts' }])
  assert.deepEqual([half?.done, half?.due], [0.5, 1])
  const late = course(order(), NOW, clock({ started_at: iso(1200), due_at: iso(300) }))
  assert.deepEqual([late?.done, late?.due], [1, 0.75])
  assert.equal(course(order(), NOW, clock({ state: 'waiting', started_at: null })), null)
})

test('a stopped clock ends where it was stopped, a paused one moves its end along', () => {
  const stopped = clock({ state: 'stopped', started_at: iso(900), due_at: iso(-900), remaining_s: 900 })
  assert.equal(course(order(), NOW + 3_600_000, stopped)?.done, 0.5)
  const paused = clock({ state: 'paused', started_at: iso(900), due_at: iso(0), remaining_s: 900 })
  assert.equal(course(order(), NOW, paused)?.done, 0.5)
})

test('a caller is found again by telephone number, name or place, once enough is typed', () => {
  const asked = order({ source: 'request', requester })
  assert.ok(isAskedBy(asked, '\n13900000000\n'))
  assert.ok(isAskedBy(asked, '王女士\n\n'))
  assert.ok(isAskedBy(asked, '\n\n2 单元 801'))
  assert.ok(!isAskedBy(asked, '王\n139\n1'))
  assert.ok(!isAskedBy(order({ requester: null }), '王女士\n\n'))
})

test('only times to come are promised', () => {
  assert.deepEqual(
    usualPromises('2026-11-30T13:30').map(({ day, wall }) => [day, wall]),
    [
      ['today', '2026-11-30T18:00'],
      ['tomorrow', '2026-12-01T12:00'],
      ['tomorrow', '2026-12-01T18:00'],
    ],
  )
})

test('a wall time is of the site’s zone, whatever zone the browser is in', () => {
  const moment = momentOf('2026-11-21T18:00', 'Asia/Shanghai')
  assert.equal(moment, '2026-11-21T10:00:00.000Z')
  assert.equal(wallTime(Date.parse(moment ?? ''), 'Asia/Shanghai'), '2026-11-21T18:00')
  assert.equal(momentOf('', 'Asia/Shanghai'), null)
})
