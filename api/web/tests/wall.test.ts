import assert from 'node:assert/strict'
import { test } from 'node:test'

import { entryOf } from '../src/client/version.ts'
import type { Alarm } from '../src/client/types.ts'
import { inTurn } from '../src/model/wall.ts'
import { alarm } from './documents.ts'

function many(n: number, changes: Partial<Alarm> = {}): Alarm[] {
  return Array.from({ length: n }, (_, at) => alarm({ id: `${changes.priority ?? ''}${at}`, ...changes }))
}
const ids = (alarms: readonly Alarm[]): string[] => alarms.map(({ id }) => id)

test('what has room is all there, and nothing moves', () => {
  const all = many(5)
  for (const turn of [0, 1, 7]) {
    assert.deepEqual(inTurn(all, 5, turn), { lines: all, hidden: [], page: null, pages: 1 })
  }
})

test('a little too much takes turns, below fire and entrapment, and none is left out', () => {
  const trapped = alarm({ id: 'trapped', life_safety: true, priority: 'critical' })
  const all = [trapped, ...many(7)]
  const pages = [0, 1, 2].map((turn) => inTurn(all, 5, turn))
  for (const { lines, page, pages: of } of pages) {
    assert.equal(lines[0]?.id, 'trapped')
    assert.ok(lines.length <= 4)
    assert.ok(page !== null && page <= of)
  }
  assert.deepEqual(new Set(pages.flatMap(({ lines }) => ids(lines))), new Set(ids(all)))
  assert.deepEqual(pages[0], inTurn(all, 5, 3), 'and from the beginning again')
})

test('a flood stands still: the worst are there, the others are counted by their priority', () => {
  const returned = many(3, { priority: 'critical', present: false }).map((one, at) => ({
    ...one,
    id: `r${at}`,
  }))
  const all = [...many(2, { priority: 'critical', life_safety: true }), ...many(495), ...returned]
  const shown = inTurn(all, 6, 0)
  assert.deepEqual(shown, inTurn(all, 6, 1))
  assert.deepEqual(ids(shown.lines), ids(all.slice(0, 5)))
  assert.deepEqual(shown.hidden, [
    { what: 'major', n: 492 },
    { what: 'returned', n: 3 },
  ])
  assert.equal(shown.page, null)
})

test('even one line shows an alarm', () => {
  assert.equal(inTurn(many(9), 1, 0).lines.length, 1)
})

test('a page is known by the script it begins with', () => {
  const head = '<script type="module" crossorigin src="/assets/index-D8SB.js"></script>'
  assert.equal(entryOf(`<html><head>${head}</head></html>`), '/assets/index-D8SB.js')
  assert.equal(entryOf('Bad gateway'), null)
})
