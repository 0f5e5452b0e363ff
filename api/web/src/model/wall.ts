/** What a list that nobody scrolls shows of what does not fit. */
import type { Alarm, Priority } from '../client/types.ts'
import { isLifeSafety, PRIORITIES } from './ranking.ts'

/** As many pages are still read in turn; of more the worst stay and the others are counted. */
const MOST_PAGES = 3

export interface Shown {
  lines: readonly Alarm[]
  /** How many are not in sight, by priority, the worst first; returned ones as `returned`. */
  hidden: readonly { what: Priority | 'returned'; n: number }[]
  /** From 1; null: nothing takes turns. */
  page: number | null
  pages: number
}

/**
 * The `alarms` (ranked) that have room in so many lines, the last of which counts the others.
 * Fire and entrapment stay; the others take turns while that takes few, else the worst stay too.
 */
export function inTurn(alarms: readonly Alarm[], room: number, turn: number): Shown {
  if (alarms.length <= room) return { lines: alarms, hidden: [], page: null, pages: 1 }
  const left = Math.max(1, room - 1)
  const pinned = alarms.filter(isLifeSafety).slice(0, left)
  const others = alarms.filter((alarm) => !pinned.includes(alarm))
  const each = left - pinned.length
  const pages = each > 0 ? Math.ceil(others.length / each) : Infinity
  if (pages > MOST_PAGES) {
    return { lines: alarms.slice(0, left), hidden: counted(alarms.slice(left)), page: null, pages: 1 }
  }
  const page = turn % pages
  // As many on each: a last page with one line looks as if the others were gone.
  const even = Math.ceil(others.length / pages)
  const lines = [...pinned, ...others.slice(page * even, (page + 1) * even)]
  const hidden = counted(alarms.filter((alarm) => !lines.includes(alarm)))
  return { lines, hidden, page: page + 1, pages }
}

function counted(alarms: readonly Alarm[]): Shown['hidden'] {
  return [...PRIORITIES, 'returned' as const].flatMap((what) => {
    const n = alarms.filter(({ present, priority }) => (present ? priority : 'returned') === what)
    return n.length > 0 ? [{ what, n: n.length }] : []
  })
}
