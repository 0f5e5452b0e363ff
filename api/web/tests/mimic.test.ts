import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Equipment, Point } from '../src/client/types.ts'
import { detectorState, stacked, zones } from '../src/model/detectors.ts'
import { around, dialArc, onDial, scale, share, widthOf, wrapped } from '../src/model/drawing.ts'
import { seen } from '../src/model/freshness.ts'
import { firstPoints, leading, sorted } from '../src/model/systems.ts'
import { NOW, reading } from './documents.ts'

function point(key: string, changes: Partial<Point> = {}): Point {
  return {
    id: `it.${key}`,
    key,
    name: { zh: key, en: key },
    kind: 'flag',
    unit: '',
    decimals: 0,
    low: 0,
    high: 1,
    states: {},
    limits: [],
    reading: reading({ value: 0 }),
    ...changes,
  }
}

function limit(bounds: { above?: number; below?: number }, priority: 'critical' | 'major' = 'major') {
  const { above = null, below = null } = bounds
  return { rule: 'r', name: { zh: '', en: '' }, above, below, priority }
}

const keys = (points: readonly Point[]): string[] => points.map(({ key }) => key)

test('a text that fits stays whole, a longer one is cut with an ellipsis', () => {
  assert.equal(widthOf('水泵2'), 2.54)
  assert.deepEqual(wrapped('生活水泵 2', 6), ['生活水泵 2'])
  assert.deepEqual(wrapped('生活水泵机组', 4), ['生活水…'])
  assert.deepEqual(wrapped('', 4), [''])
})

test('lines break between words and ideographs, and not before what closes', () => {
  assert.deepEqual(wrapped('Vibration velocity RMS', 9, 2), ['Vibration', 'velocity RMS'])
  assert.deepEqual(wrapped('Entrapment', 3, 2), ['Ent…'])
  assert.deepEqual(wrapped('电梯困人（非平层）', 5, 3), ['电梯困人', '（非平层）'])
  assert.deepEqual(wrapped('一二三四五六七', 3, 2), ['一二三', '四五…'])
})

test('a scale shows as much beyond the limits as between them, within the range', () => {
  const volts = scale({
    low: 0,
    high: 500,
    limits: [limit({ below: 44 }, 'critical'), limit({ below: 198 }), limit({ above: 236 })],
  })
  assert.deepEqual([volts?.low, volts?.high], [179, 255])
  assert.deepEqual(volts?.marks.map(({ at }) => at), [198, 236])
  // The limit for a lost phase lies off the scale and has no band there.
  assert.deepEqual(volts?.bands.map(({ from, to }) => [from, to]), [[236, 255], [179, 198]])
})

test('a scale with one limit begins at nothing, one without any is the range', () => {
  const hot = scale({ low: -40, high: 150, limits: [limit({ above: 75 }), limit({ above: 90 }, 'critical')] })
  assert.deepEqual([hot?.low, hot?.high], [0, 100])
  assert.deepEqual(hot?.bands.map(({ priority }) => priority), ['major', 'critical'])
  assert.deepEqual(scale({ low: 0, high: 254, limits: [] })?.high, 254)
  assert.equal(scale({ low: 0, high: null, limits: [] }), null)
})

test('what is beyond a scale stands at its end', () => {
  assert.deepEqual([20, 45, 70, 99].map((value) => share({ low: 40, high: 60 }, value)), [0, 0.25, 1, 1])
})

test('a dial goes from lower left over the top to lower right', () => {
  assert.deepEqual(onDial(100, 100, 10, 0), [91.34, 105])
  assert.deepEqual(onDial(100, 100, 10, 0.5), [100, 90])
  assert.deepEqual(onDial(100, 100, 10, 1), [108.66, 105])
  assert.match(dialArc(100, 100, 10, 0, 1), /^M91\.34 105A10 10 0 1 1 108\.66 105$/)
  assert.match(dialArc(100, 100, 10, 0.4, 0.6), /A10 10 0 0 1 /)
})

test('the neighbours of the chosen one, as many as there is room for', () => {
  const lifts = ['a', 'b', 'c', 'd', 'e']
  assert.deepEqual(around(lifts, 0, 3), ['a', 'b', 'c'])
  assert.deepEqual(around(lifts, 3, 3), ['c', 'd', 'e'])
  assert.deepEqual(around(lifts, 4, 3), ['c', 'd', 'e'])
  assert.deepEqual(around(['a'], 0, 3), ['a'])
})

test('a detector is in its worst state, and not normal where that is not known', () => {
  const known = (values: Record<string, number | null>) => (key: string) => values[key] ?? 0
  assert.equal(detectorState(known({})), 'normal')
  assert.equal(detectorState(known({ prealarm: 1, disabled: 1 })), 'prealarm')
  assert.equal(detectorState(known({ active: 1, trouble: 1 })), 'active')
  assert.equal(detectorState((key) => (key === 'active' ? null : 0)), 'unknown')
  assert.equal(detectorState((key) => (key === 'trouble' ? 1 : null)), 'trouble')
})

test('detectors stand by their areas, each box where there is most room', () => {
  const boxes = zones([{ area: 'a' }, { area: 'b' }, { area: 'a' }])
  assert.deepEqual(boxes.map(({ area, things }) => [area, things.length]), [['a', 2], ['b', 1]])
  const { placed, height } = stacked([30, 10, 10], (item) => item, 2, 5)
  assert.deepEqual(placed.map(({ column, y }) => [column, y]), [[0, 0], [1, 0], [1, 15]])
  assert.equal(height, 30)
  assert.equal(stacked([], () => 1, 3, 5).height, 0)
})

function list(kind: string, points: Point[], alarmed: string[] = []) {
  const { shown, normal } = sorted(
    { class: kind, points },
    ({ key }) => alarmed.includes(key),
    ({ reading }) => seen(reading, NOW),
  )
  return [keys(shown), keys(normal)]
}

test('flags that say nothing are put together, the alarmed stands first', () => {
  const lift = [
    ...['overspeed', 'overrun_top', 'run_timeout', 'stop_outside_zone'].map((key) => point(key)),
    point('going_up'),
    point('person', { reading: reading({ value: 1 }) }),
    point('speed', { kind: 'number' }),
  ]
  assert.deepEqual(list('lift', lift, ['overrun_top']), [
    ['overrun_top', 'speed', 'going_up', 'person'],
    ['overspeed', 'run_timeout', 'stop_outside_zone'],
  ])
})

test('a flag that is set or not heard of is in sight, and so are few', () => {
  const stale = reading({ value: 0, received_at: new Date(NOW - 60_000).toISOString() })
  const points = [
    ...['a', 'b', 'c'].map((key) => point(key)),
    point('set', { reading: reading({ value: 1 }) }),
    point('old', { reading: stale }),
  ]
  assert.deepEqual(list('other', points), [['set', 'old'], ['a', 'b', 'c']])
  assert.deepEqual(list('other', points.slice(1)), [['b', 'c', 'set', 'old'], []])
})

test('what is shown first of a thing is never nothing', () => {
  const thing = (kind: string, ...names: string[]): Pick<Equipment, 'class' | 'points'> => ({
    class: kind,
    points: names.map((key) => point(key)),
  })
  assert.deepEqual(keys(firstPoints(thing('lamp', 'brightness', 'output'))), ['output', 'brightness'])
  assert.deepEqual(keys(firstPoints(thing('chiller', 'flow', 'head'))), ['flow'])
  assert.deepEqual(firstPoints(thing('chiller')), [])
})

test('of a system the course of what is measured is drawn, never that of a word of bits', () => {
  const number = { kind: 'number', high: 255 } as const
  const thing = (kind: string, points: Point[]): Equipment =>
    ({ id: kind, class: kind, points }) as Equipment
  const lift = thing('lift', [point('sensor_faults', number), point('speed', number), point('floor', number)])
  assert.equal(leading({ id: 'lift', equipment: [lift] })?.key, 'floor')
  const panel = thing('fire_panel', [point('panel_status', number)])
  assert.equal(leading({ id: 'fire', equipment: [panel] }), undefined)
})
