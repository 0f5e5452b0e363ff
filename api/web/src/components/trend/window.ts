/** Which stretch of time a trend shows: the last hours, or one that was chosen. */

export const HOUR = 3_600_000
export const DAY = 24 * HOUR

/** ms since 1970, from up to. */
export type Window = readonly [number, number]

/** ms; closer than this there is nothing more to see. */
const CLOSEST = 60_000
const WIDEST = 366 * DAY

/** `window` moved by `part` of its length, never past `now`. */
export function moved([start, end]: Window, part: number, now: number): Window {
  const by = Math.min((end - start) * part, now - end)
  return [start + by, end + by]
}

/** `window` made `factor` as long: around its middle, or back from `now` where it ends there. */
export function widened([start, end]: Window, factor: number, now: number): Window {
  const length = Math.min(WIDEST, Math.max(CLOSEST, (end - start) * factor))
  const last = end >= now ? now : Math.min(now, (start + end) / 2 + length / 2)
  return [last - length, last]
}

/** What lies between two places of a drag, no shorter than what can be seen; null: it was a click. */
export function dragged(from: number, to: number, now: number): Window | null {
  const [start, end] = from < to ? [from, to] : [to, from]
  if (end - start < 1000) return null
  return widened([start, Math.min(end, now)], 1, now)
}
