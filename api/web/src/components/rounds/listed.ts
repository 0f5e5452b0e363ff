/** Which rounds a side of the page shows. */
import { rounds } from '@/client/rounds'
import type { RoundLevel, RoundSummary } from '@/client/types'
import { daysOfMonth, mondayOf, plusDays, type Day } from '@/model/days'

export const PARTS = ['today', 'week', 'month', 'all'] as const
export type Part = (typeof PARTS)[number]

/** A month with its year: `2026-11`. */
export type Month = string

/** Its first and its last day. */
function daysIn(month: Month): { from: Day; to: Day } {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const days = daysOfMonth(year, number)
  return { from: days[0] ?? '', to: days.at(-1) ?? '' }
}

/** The one so many months later, or earlier. */
export function plusMonths(month: Month, count: number): Month {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7)
}

/** Those of `levels` that open within these days, and older ones that still need somebody. */
async function within(
  levels: readonly RoundLevel[],
  days: { from: Day; to: Day },
): Promise<RoundSummary[]> {
  const lists = await Promise.all(
    levels.flatMap((level) => [rounds.all({ level, ...days }), rounds.all({ level })]),
  )
  return [...new Map(lists.flat().map((round) => [round.id, round])).values()]
}

/** `month` counts for the record of all. */
export function listed(part: Part, today: Day, month: Month): Promise<RoundSummary[]> {
  const monday = mondayOf(today)
  switch (part) {
    case 'today':
      return rounds.all({})
    case 'week':
      return within(['weekly', 'half_monthly'], { from: monday, to: plusDays(monday, 6) })
    case 'month':
      return within(['monthly', 'quarterly', 'half_yearly', 'yearly'], daysIn(today.slice(0, 7)))
    case 'all':
      return rounds.all(daysIn(month))
  }
}
