/** Where a point has nothing to show. */
import type { Readings } from '../client/types.ts'

/** From `start` up to `end`, ms since 1970. */
export interface Stretch {
  start: number
  end: number
}

/** The stretches of `readings` from which there is no value, and why; one that lasts ends with it. */
export function stretches({
  start,
  end,
  gaps,
}: Pick<Readings, 'start' | 'end' | 'gaps'>): (Stretch & { reason: string })[] {
  const [first, last] = [Date.parse(start), Date.parse(end)]
  return gaps
    .map((gap) => ({
      start: Math.max(first, Date.parse(gap.start)),
      end: Math.min(last, gap.end === null ? last : Date.parse(gap.end)),
      reason: gap.reason,
    }))
    .filter((gap) => gap.end > gap.start)
}

/** All stretches as few as possible: those that touch or overlap become one. */
export function merged(stretches: readonly Stretch[]): Stretch[] {
  const sorted = stretches.toSorted((one, other) => one.start - other.start)
  const found: Stretch[] = []
  for (const stretch of sorted) {
    const last = found.at(-1)
    if (last !== undefined && stretch.start <= last.end) last.end = Math.max(last.end, stretch.end)
    else found.push({ ...stretch })
  }
  return found
}
