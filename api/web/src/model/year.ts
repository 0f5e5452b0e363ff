/** A year of working days as a picture. */
import type { CalendarDay } from '@/client/types'
import { daysOfMonth, stretches, weekdayOf } from './days.ts'

/** A month in weeks that begin on Monday; null: a day of another month. */
export function weeksOf(
  year: number,
  month: number,
  days: ReadonlyMap<string, CalendarDay>,
): (CalendarDay | null)[][] {
  const dates = daysOfMonth(year, month)
  const before = weekdayOf(dates[0] ?? '')
  const cells = [
    ...Array.from({ length: before }, () => null),
    ...dates.map((date) => days.get(date) ?? null),
  ]
  const weeks: (CalendarDay | null)[][] = []
  for (let start = 0; start < cells.length; start += 7) {
    const week = cells.slice(start, start + 7)
    weeks.push([...week, ...Array.from({ length: 7 - week.length }, () => null)])
  }
  return weeks
}

export interface Festival {
  first: CalendarDay
  last: CalendarDay
  count: number
  /** Days of a weekend that are worked for it. */
  worked: CalendarDay[]
}

function sameName(one: CalendarDay, other: CalendarDay): boolean {
  return one.name?.zh === other.name?.zh
}

/** The holidays of a year, each with the days that are worked for it. */
export function festivals(days: readonly CalendarDay[]): Festival[] {
  const made = days.filter(({ kind }) => kind === 'make_up_working')
  return stretches(
    days.filter(({ kind }) => kind === 'holiday'),
    sameName,
  ).map((stretch) => ({
    ...stretch,
    worked: made.filter((day) => sameName(day, stretch.first)),
  }))
}
