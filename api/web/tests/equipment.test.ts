/** Finding equipment, its one-line diagram, and what its trend and time line show. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { dragged, moved, widened } from '../src/components/trend/window.ts'
import { withMeaning } from '../src/model/contacts.ts'
import { csv } from '../src/model/csv.ts'
import { lampState } from '../src/model/lamps.ts'
import { across, down, ends, forest } from '../src/model/oneline.ts'
import { grouped, matches, searched } from '../src/model/search.ts'
import { freshened, sortOf } from '../src/model/timeline.ts'

const MEASURES = { step: 100, level: 150, top: 50, bottom: 80 }
const thing = (id: string, supplied_by: string | null = null) => ({ id, supplied_by })

test('a feeder that is not known begins a tree, and a ring of feeders none', () => {
  const things = [
    thing('lamp', 'breaker'),
    thing('meter', 'grid'),
    thing('breaker', 'meter'),
    thing('pump', 'meter'),
    thing('alone'),
    thing('one', 'other'),
    thing('other', 'one'),
  ]
  const trees = forest(things, ({ id }) => id === 'alone')
  assert.deepEqual(
    trees.map(({ thing }) => thing.id),
    ['meter', 'alone'],
  )
  assert.equal(ends(trees[0] ?? { thing: thing(''), children: [] }), 2)
})

test('side by side nothing stands upon another, and a feeder in the middle of what it feeds', () => {
  const things = [
    thing('meter'),
    thing('a', 'meter'),
    thing('b', 'meter'),
    thing('c', 'b'),
    thing('second'),
    thing('d', 'second'),
  ]
  const { nodes, width, height } = across(
    forest(things, () => true),
    MEASURES,
  )
  const places = new Set(nodes.map(({ x, y }) => `${x} ${y}`))
  assert.equal(places.size, things.length)
  const at = (id: string) => nodes.find((node) => node.thing.id === id) ?? assert.fail(id)
  assert.equal(at('meter').x, (at('a').x + at('b').x) / 2)
  assert.equal(at('b').x, at('c').x)
  assert.ok(at('second').x - at('c').x >= 2 * MEASURES.step, 'its words have room')
  assert.equal(height, 50 + 2 * 150 + 80)
  assert.ok(nodes.every(({ x }) => x > 0 && x < width))
})

test('one under the other, what is fed stands below its feeder and further in', () => {
  const { nodes } = down(forest([thing('meter'), thing('a', 'meter')], () => true), MEASURES, 400)
  assert.deepEqual(
    nodes.map(({ x, y, feeder }) => [x, y, feeder]),
    [
      [50, 50, null],
      [150, 200, 'meter'],
    ],
  )
})

test('every word that is asked for has to be there, in either language', () => {
  const found = searched(['pump-2', '生活水泵 2', 'Domestic pump 2', null, 'B1 泵房'])
  assert.ok(matches(found, '水泵 b1'))
  assert.ok(matches(found, '  '))
  assert.ok(!matches(found, 'pump 3'))
})

test('groups stand in the order of the site, and what is not in it last', () => {
  const things = ['x1', 'b1', 'a1', 'b2']
  const groups = grouped(things, [(one) => one[0] ?? '', (one) => one[1] ?? ''], [['a', 'b'], ['2', '1']])
  assert.deepEqual(
    groups.map(({ id, things: all, parts }) => [id, all.length, parts.map((part) => part.id)]),
    [
      ['a', 1, ['a/1']],
      ['b', 2, ['b/2', 'b/1']],
      ['x', 1, ['x/1']],
    ],
  )
})

test('what looks like a formula stays words in a table, and what parts cells is quoted', () => {
  assert.equal(csv([['=1+1', '-x', -1.5, null, 'a,"b"']]), '\uFEFF"\'=1+1","\'-x",-1.5,,"a,""b"""\r\n')
})

test('a trend never shows what is still to come', () => {
  const now = 10_000_000
  assert.deepEqual(moved([now - 2000, now - 1000], 5, now), [now - 1000, now])
  assert.deepEqual(moved([1000, 2000], -0.5, now), [500, 1500])
  assert.deepEqual(widened([now - 600_000, now], 2, now), [now - 1_200_000, now])
  assert.deepEqual(widened([0, 120_000], 0.01, now), [30_000, 90_000], 'closer than a minute is nothing to see')
  assert.equal(dragged(500, 600, now), null)
  assert.deepEqual(dragged(5_000_000, 3_000_000, now), [3_000_000, 5_000_000])
})

test('a lamp that takes no power though it is switched on is dark, and unknown where that is not known', () => {
  const lamp = (values: Record<string, number | null>) =>
    lampState({ known: (key) => values[key] ?? null, has: (key) => key in values, dark: 2 })
  assert.equal(lamp({ output: 1, power: 18 }), 'lit')
  assert.equal(lamp({ output: 1, power: 1 }), 'dark')
  assert.equal(lamp({ output: 1, power: null }), 'unknown')
  assert.equal(lamp({ output: 0, power: 0 }), 'off')
  assert.equal(lamp({ output: 1, feedback: 0 }), 'dark', 'its contactor did not close')
})

test('a contact speaks of what it stands for: an open one at a breaker is no open breaker', () => {
  const point = { key: 'active', states: { 0: { zh: '断开', en: 'Open' } } }
  const of = (kind: string): string | undefined =>
    withMeaning({ class: kind, points: [point] } as unknown as Parameters<typeof withMeaning>[0]).points[0]
      ?.states['0']?.zh
  assert.equal(of('breaker'), '未脱扣')
  assert.equal(of('contact'), '断开')
})

test('of each alarm the newest is told, and an order of a plan is upkeep', () => {
  const known = [{ id: 'a', state: 'open' }, { id: 'b', state: 'open' }]
  assert.deepEqual(freshened(known, [{ id: 'a', state: 'closed' }]), [
    { id: 'a', state: 'closed' },
    { id: 'b', state: 'open' },
  ])
  const entry = (source: string) =>
    ({ at: '', what: 'create', by: null, order: { source } }) as unknown as Parameters<typeof sortOf>[0]
  assert.equal(sortOf(entry('plan')), 'upkeep')
  assert.equal(sortOf(entry('alarm')), 'orders')
})
