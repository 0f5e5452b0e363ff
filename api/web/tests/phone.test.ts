import assert from 'node:assert/strict'
import { test } from 'node:test'

import { lackingPhotos, left, news, orderAfter, phoneSteps, ticksAfter } from '../src/phone/merge.ts'
import {
  count,
  next,
  replaceable,
  settled,
  shown,
  untriedTick,
  wait,
  type Entry,
} from '../src/phone/queue.ts'
import { codeOf, equipmentOf } from '../src/phone/scanned.ts'
import { wayOf } from '../src/phone/installing.ts'
import { ageOf, FRESH, isCleared, standing } from '../src/phone/standing.ts'
import { order } from './documents.ts'
import { entry, photo } from './phoneEntries.ts'

const ids = (due: ReturnType<typeof next>): string[] =>
  due?.what === 'entries' ? due.entries.map(({ id }) => id) : due === null ? [] : [due.photo.id]

test('entries go before photographs, and a round is signed when its photographs are there', () => {
  const item = entry({ id: 'a', seq: 2 })
  const sign = entry({ id: 'b', seq: 1, kind: 'round_finish', item: null })
  const elsewhere = entry({ id: 'c', seq: 3, subject: 'other' })
  assert.deepEqual(ids(next([elsewhere, sign, item], [])), ['b', 'a', 'c'])
  const pictures = [photo()]
  const later = entry({ id: 'd', seq: 4, kind: 'round_finish', item: null })
  assert.deepEqual(ids(next([item, elsewhere, later], pictures)), ['a', 'c'])
  assert.deepEqual(ids(next([later], pictures)), ['picture'])
  assert.deepEqual(ids(next([later], [photo({ state: 'sent' })])), ['d'])
  assert.deepEqual(ids(next([later], [photo({ subject: 'other' })])), ['d'])
  assert.equal(next([entry({ state: 'conflict' })], []), null)
})

test('no more goes at once than a request takes', () => {
  const many = Array.from({ length: 60 }, (_, seq) => entry({ id: `${seq}`, seq }))
  assert.equal(ids(next(many, [])).length, 50)
  const long = many.map((one) => ({ ...one, body: { note: 'x'.repeat(40_000) } }))
  assert.equal(ids(next(long, [])).length, 4)
  // What counts is bytes, and a Chinese word has three for each of its letters.
  const chinese = many.map((one) => ({ ...one, body: { note: '水'.repeat(20_000) } }))
  assert.equal(ids(next(chinese, [])).length, 3)
})

test('a known entry is as it became the first time', () => {
  const at = '2026-11-21T10:00:00.000Z'
  assert.equal(settled({ id: 'a', outcome: 'known', first: 'conflict' }, at).state, 'conflict')
  assert.equal(settled({ id: 'a', outcome: 'known', first: 'applied' }, at).state, 'sent')
  assert.equal(settled({ id: 'a', outcome: 'refused', reason: 'incomplete' }, at).said?.reason, 'incomplete')
})

test('what was taken stays until what is fetched is newer, and what was not taken stays', () => {
  const kept = [
    entry({ id: 'a', state: 'sent', received_at: '2026-11-21T10:00:00.000Z' }),
    entry({ id: 'b', state: 'sent', received_at: '2026-11-21T10:00:02.000Z' }),
    entry({ id: 'c', state: 'conflict', received_at: '2026-11-21T10:00:00.000Z' }),
    entry({ id: 'd' }),
  ]
  assert.deepEqual(shown(kept, '2026-11-21T18:00:01.000+08:00'), ['a'])
  assert.deepEqual(count(kept, [photo(), photo({ state: 'refused' })]), { entries: 1, photos: 1, refused: 2 })
})

test('only an answer that never went out is exchanged for another one', () => {
  assert.equal(replaceable([entry()], entry())?.id, 'one')
  assert.equal(replaceable([entry({ tried: true })], entry()), null)
  assert.equal(replaceable([entry({ item: 'other' })], entry()), null)
  assert.equal(replaceable([entry({ kind: 'order_start' })], entry({ kind: 'order_start' })), null)
})

test('what was written without signal shows at once, and leads on', () => {
  const open = order({ id: 'o', state: 'assigned', assigned_to: 'li' })
  const acts = ['order_accept', 'order_decline']
  assert.deepEqual(phoneSteps(open, acts, []), ['accept', 'decline'])
  const wrote = [
    entry({ id: '1', seq: 1, kind: 'order_accept', subject: 'o', item: null }),
    entry({ id: '2', seq: 2, kind: 'order_arrive', subject: 'o', item: null, state: 'sent' }),
  ]
  const after = orderAfter(open, wrote)
  assert.deepEqual([after.state, after.accepted_at], ['on_site', wrote[0]?.entered_at])
  assert.deepEqual(phoneSteps(open, acts, wrote), ['start', 'complete', 'suspend', 'decline'])
  const fell = wrote.map((one) => ({ ...one, state: 'conflict' as const }))
  assert.equal(orderAfter(open, fell).state, 'assigned')
})

test('a step of a sheet is ticked at once, and stays the word of who ticked it first', () => {
  const step = { name: { zh: '制动器', en: 'Brake' }, source: { zh: '惯例', en: 'practice' }, required: true, done_by: null, done_at: null }
  const fetched = {
    id: 'o',
    steps: [
      { ...step, number: 1 },
      { ...step, number: 2, done_at: '2026-11-21T08:00:00.000Z', done_by: 'wang' },
    ],
  }
  const tick = (id: string, n: number, done: boolean, changes: Partial<Entry> = {}): Entry =>
    entry({ id, seq: Number(id), kind: 'order_tick', subject: 'o', item: null, body: { step: n, done }, ...changes })
  const all = [tick('1', 1, true), tick('2', 2, true)]
  const stand = ticksAfter(fetched, all).map(({ done_by, pending }) => [done_by, pending])
  assert.deepEqual(stand, [['li', true], ['wang', false]])
  assert.equal(ticksAfter(fetched, [...all, tick('3', 1, false)])[0]?.done_at, null)
  assert.equal(ticksAfter(fetched, [tick('1', 1, true, { state: 'conflict' })])[0]?.done_at, null)
  // One that has not gone out is taken back as if it had never been.
  assert.equal(untriedTick(all, 'o', 1)?.id, '1')
  assert.equal(untriedTick([tick('1', 1, true, { tried: true })], 'o', 1), null)
  // The sheet alone moves the order nowhere.
  const mine = order({ id: 'o', state: 'accepted', assigned_to: 'li' })
  assert.deepEqual(phoneSteps(mine, ['order_arrive', 'order_tick'], all), ['arrive'])
})

test('a line is answered while its answer is on its way, and open again when it fell', () => {
  const rows = [{ key: 'noise', state: 'waiting', kind: 'manual', lacks: ['photo'] }] as const
  const lines = rows.map((row) => ({ ...row, lacks: [...row.lacks] }))
  assert.equal(left(lines, 'round', [entry()]).length, 0)
  assert.equal(left(lines, 'round', [entry({ state: 'conflict' })]).length, 1)
  assert.equal(left(lines, 'other', [entry()]).length, 1)
  assert.equal(lackingPhotos(lines, 'round', []).length, 1)
  assert.equal(lackingPhotos(lines, 'round', [photo()]).length, 0)
  assert.equal(lackingPhotos(lines, 'round', [photo({ state: 'refused' })]).length, 1)
})

test('only what has come to the person since is news', () => {
  const mine = order({ id: 'a', assigned_to: 'li' })
  const fresh = order({ id: 'b', assigned_to: 'li' })
  const others = order({ id: 'c', assigned_to: 'wang' })
  assert.deepEqual(news([mine, others], [mine, fresh, others], 'li'), [fresh])
  assert.deepEqual(news([{ ...fresh, assigned_to: null }], [fresh], 'li'), [fresh])
})

test('nothing of the past is shown as of now', () => {
  assert.equal(standing(false, null, true), 'none')
  assert.equal(standing(true, 1000, true), 'fresh')
  assert.equal(standing(true, 1000, false), 'off')
  assert.equal(standing(true, 1000, null), 'asking')
  assert.equal(standing(true, FRESH + 1, true), 'old')
  assert.equal(standing(true, null, true), 'old')
})

test('a clock that is set makes nothing younger: the age is told by the page, or not at all', () => {
  const at = { wall: 1_000_000, page: 5000 }
  const back = { wall: 400_000, page: 65_000 }
  assert.equal(ageOf(at, back), 60_000)
  assert.equal(ageOf({ ...at, page: null }, back), null)
  assert.equal(ageOf({ ...at, page: null }, { wall: 1_090_000, page: 0 }), 90_000)
})

test('what the browser has cleared away is missed', () => {
  assert.equal(isCleared(3, { kept: 0, fetched: false }), true)
  // Sent, or left by a log-out.
  assert.equal(isCleared(0, { kept: 0, fetched: false }), false)
  assert.equal(isCleared(3, { kept: 3, fetched: false }), false)
  assert.equal(isCleared(3, { kept: 0, fetched: true }), false)
})

test('tries grow rarer, up to a minute', () => {
  assert.deepEqual([1, 2, 5, 50].map(wait), [4000, 8000, 60_000, 60_000])
})

test('a page is put onto the home screen by the browser that can', () => {
  const phone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15'
  assert.equal(wayOf(`${phone} Version/17.5 Mobile/15E148 Safari/604.1`), 'share')
  assert.equal(wayOf(`${phone} Mobile/15E148 MicroMessenger/8.0.50(0x18003231)`), 'elsewhere')
  assert.equal(wayOf('Mozilla/5.0 (Linux; Android 14) Chrome/126.0 Mobile Safari/537.36'), 'menu')
})

test('a code is itself, or the end of its address', () => {
  assert.equal(codeOf(' https://duty.local/e/pump-2?x=1 '), 'pump-2')
  assert.equal(codeOf('H7KQ'), 'H7KQ')
  assert.equal(codeOf('100%'), '100%')
  assert.equal(equipmentOf('https://duty.local/e/%zz'), '%zz')
  assert.equal(equipmentOf('https://duty.local/e/pump-2'), 'pump-2')
  assert.equal(equipmentOf('https://duty.local/r/H7KQ'), null)
})
