import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Failure, written } from '../src/client/call.ts'
import { agentName } from '../src/model/agents.ts'
import { complaint } from '../src/model/complaints.ts'
import { daysBetween, daysFrom, daysOfMonth, mondayOf, plusDays, weekdayOf } from '../src/model/days.ts'
import { cells } from '../src/model/roster.ts'
import { festivals, weeksOf } from '../src/model/year.ts'
import type { CalendarDay, Leave, ShiftDay, Team } from '../src/client/types.ts'

test('days are counted in the calendar, over months, years and leap days', () => {
  assert.equal(plusDays('2026-12-31', 1), '2027-01-01')
  assert.equal(plusDays('2028-02-28', 1), '2028-02-29')
  assert.equal(daysBetween('2026-11-21', '2026-12-01'), 10)
  assert.equal(daysBetween('2026-11-21', '2026-11-20'), -1)
  assert.equal(weekdayOf('2026-11-22'), 6)
  assert.equal(mondayOf('2026-11-22'), '2026-11-16')
  assert.equal(mondayOf('2026-11-23'), '2026-11-23')
  assert.deepEqual(daysFrom('2026-11-30', 2), ['2026-11-30', '2026-12-01'])
  assert.equal(daysOfMonth(2026, 2).length, 28)
  assert.equal(daysOfMonth(2026, 12).at(-1), '2026-12-31')
})

function day(date: string, kind: CalendarDay['kind'], zh?: string): CalendarDay {
  return { date, kind, name: zh === undefined ? null : { zh, en: zh }, source: 'published' }
}

test('a month begins on the weekday of its first day and has no days of another', () => {
  const days = new Map(daysOfMonth(2026, 11).map((date) => [date, day(date, 'working')]))
  const weeks = weeksOf(2026, 11, days)
  assert.equal(weeks.length, 6)
  assert.deepEqual(weeks[0]?.map((one) => one?.date ?? null), [
    null, null, null, null, null, null, '2026-11-01',
  ])
  assert.equal(weeks[5]?.[0]?.date, '2026-11-30')
  assert.equal(weeks[5]?.[1], null)
})

test('a holiday is told with its length and the days that are worked for it', () => {
  const found = festivals([
    day('2026-09-20', 'make_up_working', '国庆节'),
    day('2026-09-25', 'holiday', '中秋节'),
    day('2026-10-01', 'holiday', '国庆节'),
    day('2026-10-02', 'holiday', '国庆节'),
    day('2026-10-10', 'make_up_working', '国庆节'),
  ])
  assert.deepEqual(
    found.map(({ first, last, count, worked }) => [
      first.date, last.date, count, worked.map(({ date }) => date),
    ]),
    [
      ['2026-09-25', '2026-09-25', 1, []],
      ['2026-10-01', '2026-10-02', 2, ['2026-09-20', '2026-10-10']],
    ],
  )
})

test('two holidays that touch are told apart', () => {
  const found = festivals([
    day('2020-10-01', 'holiday', '中秋节'),
    day('2020-10-02', 'holiday', '国庆节'),
  ])
  assert.deepEqual(found.map(({ count }) => count), [1, 1])
})

test('a cell has the shifts of its team and day, and who of the team is away', () => {
  const team = (id: string, members: string[]): Team => ({
    id, name: { zh: id, en: id }, areas: [], members, leader: null,
  })
  const shift = { date: '2026-11-21', id: 'day', team: { id: 'a' } } as ShiftDay
  const leave = { username: 'li', from: '2026-11-20', to: '2026-11-21' } as Leave
  const [first, second] = cells(
    ['2026-11-21', '2026-11-22'],
    [team('a', ['zhou', 'li']), team('b', ['wu'])],
    [shift],
    [leave],
  )
  assert.deepEqual(first?.cells.map((cell) => [cell.shifts.length, cell.away]), [
    [1, ['li']],
    [0, []],
  ])
  assert.deepEqual(second?.cells.map((cell) => [cell.shifts.length, cell.away]), [
    [0, []],
    [0, []],
  ])
})

test('what the server says of a field has a word in both languages', () => {
  assert.deepEqual(complaint('String should have at least 8 characters'), { word: 'tooShort', n: '8' })
  assert.deepEqual(complaint('String should have at most 1 character'), { word: 'tooLong', n: '1' })
  assert.deepEqual(complaint('Field required'), { word: 'required', n: '' })
  assert.deepEqual(complaint("String should match pattern '^[a-z]'"), { word: 'form', n: '' })
  assert.deepEqual(complaint("Input should be 'annual' or 'sick'"), { word: 'choice', n: '' })
  assert.deepEqual(complaint('the site has no area x'), { word: null, n: '' })
})

test('a failure knows its kind and the fields that are wrong', () => {
  const failure = new Failure(422, 'no', {
    type: 'urn:dutyroom:problem:not-valid',
    errors: [{ where: 'body.name.zh', message: 'Field required' }],
  })
  assert.equal(failure.kind, 'not-valid')
  assert.deepEqual(failure.fields, { 'name.zh': 'Field required' })
  assert.equal(new Failure(0, 'away').kind, '')
})

test('a PIN goes along only with what is signed', () => {
  assert.deepEqual(written({ key: 'k' }).headers, { 'Idempotency-Key': 'k' })
  assert.deepEqual(written({ key: 'k', signing: { username: 'zhou', pin: '4711' } }).headers, {
    'Idempotency-Key': 'k',
    'Signing-User': 'zhou',
    'Signing-Pin': '4711',
  })
})

test('a browser is told in two words', () => {
  const edge = 'Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0'
  assert.equal(agentName(edge), 'Edge · Windows')
  assert.equal(agentName('Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1'), 'Safari · iOS')
  assert.equal(agentName('curl/7.88.1'), 'curl/7.88.1')
  assert.equal(agentName(''), '')
})
