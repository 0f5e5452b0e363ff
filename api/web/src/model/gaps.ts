/** Where a series of buckets has nothing to show. */
import type { Bucket } from '../client/types.ts'

/** From `start` up to `end`, ms since 1970. */
export interface Stretch {
  start: number
  end: number
}

/**
 * The stretches without readings.
 *
 * Buckets narrower than the time between two readings are empty by turns without anything being
 * wrong, so only what lasts longer than `tolerance` (ms) is a gap; the last bucket ends at `end`
 * (ms since 1970).
 */
export function gaps(buckets: readonly Bucket[], end: number, tolerance: number): Stretch[] {
  const found: Stretch[] = []
  let start: number | null = null
  const close = (at: number): void => {
    if (start !== null && at - start > tolerance) found.push({ start, end: at })
    start = null
  }
  for (const bucket of buckets) {
    const at = Date.parse(bucket.start)
    if (bucket.count === 0) start ??= at
    else close(at)
  }
  close(end)
  return found
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
