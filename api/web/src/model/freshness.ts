/** How old a reading is and how far it can be trusted, on the page's own clock. */
import type { GoodReadings, Quality, Reading } from '../client/types.ts'

/** What is shown of a reading at one moment. */
export interface Seen {
  quality: Quality
  /** The present value, or the last good one where there is no present one. */
  value: number | null
  text: string | null
  /** ms since 1970 when `value` or `text` came in; null: nothing ever did. */
  at: number | null
  /** ms; null as `at`. */
  age: number | null
  /** It is of the past: to be struck through. */
  past: boolean
  reason: string | null
}

const NOTHING: Seen = {
  quality: 'bad',
  value: null,
  text: null,
  at: null,
  age: null,
  past: true,
  reason: null,
}

function moment(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso)
}

/** What the stream says briefly, as whole readings by their points. */
export function* wholly(good: GoodReadings): Generator<[string, Reading]> {
  const { values, received_at, ...common } = good
  for (const [point, value] of Object.entries(values)) {
    const last_good = { value, text: null, received_at }
    const told = { value, text: null, quality: 'good' as const, reason: null, received_at, last_good }
    yield [point, { ...common, ...told }]
  }
}

/** The quality at `now` (ms): what was good goes stale with age, whatever the server last said. */
export function judged(reading: Reading, now: number): Quality {
  const received = moment(reading.received_at)
  if (received === null || reading.quality === 'bad') return 'bad'
  if (now - received > reading.stale_after_s * 1000) return 'stale'
  return reading.quality
}

/** What is known of it is of the past. */
export function isPast(quality: Quality): boolean {
  return quality === 'stale' || quality === 'bad'
}

/**
 * The quality of every point at `now` (ms); `before` itself where it still holds, so that nobody
 * looks at thousands of points again because a second has gone by.
 */
export function qualitiesAt(
  readings: ReadonlyMap<string, Reading>,
  now: number,
  before: ReadonlyMap<string, Quality>,
): ReadonlyMap<string, Quality> {
  const found = new Map<string, Quality>()
  let same = before.size === readings.size
  readings.forEach((reading, point) => {
    const quality = judged(reading, now)
    same &&= before.get(point) === quality
    found.set(point, quality)
  })
  return same ? before : found
}

/** What to show of `reading` at `now` (ms). */
export function seen(reading: Reading | undefined, now: number): Seen {
  if (reading === undefined) return NOTHING
  const quality = judged(reading, now)
  const absent = reading.value === null && reading.text === null
  const shown = quality === 'bad' || absent ? reading.last_good : reading
  const at = shown === null ? null : moment(shown.received_at)
  return {
    quality,
    value: shown?.value ?? null,
    text: shown?.text ?? null,
    at,
    age: at === null ? null : Math.max(0, now - at),
    past: isPast(quality),
    reason: reading.reason,
  }
}

const ORDER: readonly Quality[] = ['good', 'uncertain', 'stale', 'bad']

/** The worse of two qualities. */
export function worse(one: Quality, other: Quality): Quality {
  return ORDER.indexOf(one) >= ORDER.indexOf(other) ? one : other
}
