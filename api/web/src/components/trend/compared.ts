/** What a trend may be compared with: another point, or itself on another day. */
import type { Equipment, Point } from '@/client/types'
import { DAY } from './window'

/** `point`: whose readings; `back`: ms that they lie earlier. */
export interface Compared {
  value: string
  point: Point
  back: number
  equipment: Equipment | null
}

/** More of the same class than these are not offered. */
const PEERS = 12

const DAYS = { day: DAY, week: 7 * DAY } as const

/**
 * In the order of use: itself a day and a week before, the same of the twin and of others of its
 * class, then the other numbers of the thing itself. Of what is no number nothing.
 */
export function choices(point: Point, all: readonly Equipment[]): Compared[] {
  if (point.kind !== 'number') return []
  const own = all.find(({ points }) => points.some(({ id }) => id === point.id))
  const before = Object.entries(DAYS).map(([value, back]) => ({ value, point, back, equipment: null }))
  if (own === undefined) return before
  const same = all.filter((thing) => thing.class === own.class && thing.id !== own.id)
  const twinFirst = same.toSorted(
    (one, other) => Number(other.id === own.twin) - Number(one.id === own.twin),
  )
  const peers = twinFirst.slice(0, PEERS).flatMap((thing) =>
    thing.points
      .filter(({ key, kind, unit }) => key === point.key && kind === 'number' && unit === point.unit)
      .map((found) => ({ value: found.id, point: found, back: 0, equipment: thing })),
  )
  const others = own.points
    .filter(({ id, kind }) => id !== point.id && kind === 'number')
    .map((found) => ({ value: found.id, point: found, back: 0, equipment: own }))
  return [...before, ...peers, ...others]
}
