import assert from 'node:assert/strict'
import { test } from 'node:test'

import { drafted, numberOf } from '../src/model/drafts.ts'
import { refusedLimit } from '../src/model/refusedLimits.ts'

test('a field holds a number, nothing, or something that is none', () => {
  assert.equal(numberOf(' 72.5 '), 72.5)
  assert.equal(numberOf('−3'), -3)
  assert.equal(numberOf('.5'), 0.5)
  assert.equal(numberOf(''), null)
  for (const text of ['warm', '1e3', '0x10', '1,5', '--1', 'Infinity']) {
    assert.ok(Number.isNaN(numberOf(text)), text)
  }
})

test('what is as it was is not sent', () => {
  const before = { limit: 75, delay_s: 10 }
  assert.deepEqual(drafted({ limit: '75', delay: '10' }, before), { limit: null, delay_s: null })
  assert.deepEqual(drafted({ limit: '80', delay: '10.0' }, before), { limit: 80, delay_s: null })
  assert.deepEqual(drafted({ limit: '75.0', delay: '0' }, before), { limit: null, delay_s: 0 })
})

test('a limit is refused for the reason that the server gives, not for any', () => {
  const reasons: [string, string, string][] = [
    ['300 is never passed: motor_temperature reports 200 at most', 'neverAbove', '200'],
    ['-90 is never passed: motor_temperature reports -50 at least', 'neverBelow', '-50'],
    ['the alarm would never clear: it clears at -52.5', 'neverClears', '-52.5'],
    ['never holds: the rule is for values below 90 only', 'onlyBelow', '90'],
    ['the rule is about fire or entrapment: no limit above 75', 'safetyAbove', '75'],
    ['the rule is about fire or entrapment: no longer delay than 10s', 'safetyDelay', '10s'],
    ['a delay is 0s to 30d', 'delayRange', '30'],
  ]
  for (const [message, word, value] of reasons) {
    assert.deepEqual(refusedLimit(message), { word, value }, message)
  }
  assert.equal(refusedLimit('a limit is a number'), null)
})
