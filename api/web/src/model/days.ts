/** Days without a time, as the API writes them: `2026-11-21`. */

export type Day = string

const DAY_MS = 86_400_000

function at(day: Day): number {
  return Date.parse(`${day}T00:00:00Z`)
}

/** The day so many days later, or earlier. */
export function plusDays(day: Day, count: number): Day {
  return new Date(at(day) + count * DAY_MS).toISOString().slice(0, 10)
}

/** How many days `later` is after `day`. */
export function daysBetween(day: Day, later: Day): number {
  return Math.round((at(later) - at(day)) / DAY_MS)
}

/** 0 is Monday, 6 Sunday. */
export function weekdayOf(day: Day): number {
  return (new Date(at(day)).getUTCDay() + 6) % 7
}

/** The Monday of its week. */
export function mondayOf(day: Day): Day {
  return plusDays(day, -weekdayOf(day))
}

/** So many days from `first`. */
export function daysFrom(first: Day, count: number): Day[] {
  return Array.from({ length: count }, (_, index) => plusDays(first, index))
}

/** Every day of a month; `month` 1 to 12. */
export function daysOfMonth(year: number, month: number): Day[] {
  const first = `${year}-${String(month).padStart(2, '0')}-01`
  return daysFrom(first, new Date(Date.UTC(year, month, 0)).getUTCDate())
}

/** Days that follow one another and are the `same`, as stretches. */
export function stretches<Item extends { date: Day }>(
  days: readonly Item[],
  same: (one: Item, other: Item) => boolean,
): { first: Item; last: Item; count: number }[] {
  const found: { first: Item; last: Item; count: number }[] = []
  for (const day of days) {
    const open = found.at(-1)
    if (open && same(open.last, day) && daysBetween(open.last.date, day.date) === 1) {
      open.last = day
      open.count += 1
    } else {
      found.push({ first: day, last: day, count: 1 })
    }
  }
  return found
}
