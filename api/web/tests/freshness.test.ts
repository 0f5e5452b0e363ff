import assert from 'node:assert/strict'
import { test } from 'node:test'

import { judged, qualitiesAt, seen, worse } from '../src/model/freshness.ts'
import { iso, NOW, reading } from './documents.ts'

test('a good reading goes stale by the page’s own clock', () => {
  const fresh = reading({ received_at: iso(0), stale_after_s: 3 })
  assert.equal(judged(fresh, NOW + 3000), 'good')
  assert.equal(judged(fresh, NOW + 3001), 'stale')
})

test('a doubtful value stays doubtful while it is fresh', () => {
  assert.equal(judged(reading({ quality: 'uncertain' }), NOW), 'uncertain')
  assert.equal(judged(reading({ quality: 'uncertain' }), NOW + 60_000), 'stale')
})

test('what was never received is bad, whatever its quality says', () => {
  assert.equal(judged(reading({ received_at: null, value: null }), NOW), 'bad')
})

test('a stale value is of the past, with its own time', () => {
  const shown = seen(reading({ received_at: iso(840) }), NOW)
  assert.equal(shown.past, true)
  assert.equal(shown.value, 61.4)
  assert.equal(shown.age, 840_000)
})

test('a bad reading shows the last good value and when that was, not zero', () => {
  const bad = reading({
    value: null,
    quality: 'bad',
    reason: 'unit 1 did not answer',
    last_good: { value: 58, text: null, received_at: iso(120) },
  })
  const shown = seen(bad, NOW)
  assert.deepEqual(
    [shown.value, shown.age, shown.past, shown.reason],
    [58, 120_000, true, 'unit 1 did not answer'],
  )
})

test('with no good value ever there is nothing to show', () => {
  const shown = seen(reading({ value: null, quality: 'bad', last_good: null }), NOW)
  assert.deepEqual([shown.value, shown.at, shown.age], [null, null, null])
  assert.equal(seen(undefined, NOW).quality, 'bad')
})

test('an age is never negative', () => {
  assert.equal(seen(reading({ received_at: iso(-2) }), NOW).age, 0)
})

test('the qualities of all points are the same map for as long as none has changed', () => {
  const readings = new Map([
    ['fresh', reading({ received_at: iso(0), stale_after_s: 3 })],
    ['never', reading({ received_at: null, value: null })],
  ])
  const first = qualitiesAt(readings, NOW, new Map())
  assert.deepEqual([...first], [['fresh', 'good'], ['never', 'bad']])
  assert.equal(qualitiesAt(readings, NOW + 3000, first), first)
  const later = qualitiesAt(readings, NOW + 3001, first)
  assert.deepEqual([...later], [['fresh', 'stale'], ['never', 'bad']])
  assert.equal(first.get('fresh'), 'good')
  // One that is there no more, and one that is new, are changes too.
  readings.delete('never')
  assert.deepEqual([...qualitiesAt(readings, NOW, first).keys()], ['fresh'])
  readings.set('new', reading({ received_at: iso(0) }))
  assert.deepEqual([...qualitiesAt(readings, NOW, first).keys()], ['fresh', 'new'])
})

test('the worse of two qualities', () => {
  assert.equal(worse('good', 'stale'), 'stale')
  assert.equal(worse('bad', 'uncertain'), 'bad')
})
