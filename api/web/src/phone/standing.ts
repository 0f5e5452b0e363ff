/** Whether what a phone shows is of now, and how it says so. */

/** ms; how often it is fetched anew while somebody looks. */
export const EVERY = 60_000
/** ms; older than this it is of the past, whatever the network says. */
export const FRESH = 150_000

/**
 * `none`: nothing was ever fetched; `asking`: it is not known yet whether there is signal; `fresh`: of
 * now; `old`: of the past, with signal; `off`: without.
 */
export type Standing = 'none' | 'asking' | 'fresh' | 'old' | 'off'

/** When something was fetched; ms. */
export interface FetchedAt {
  /** By the phone's clock, which somebody may set. */
  wall: number
  /** By the page's own steady count; null: by a page that is closed by now. */
  page: number | null
}

/** Now, by both. */
export interface PhoneNow {
  wall: number
  page: number
}

/**
 * How old it is, ms: by the steady count where that has seen it come. Null: it cannot be told, the
 * phone's clock was put back since.
 */
export function ageOf(at: FetchedAt, now: PhoneNow): number | null {
  if (at.page !== null) return now.page - at.page
  return now.wall < at.wall ? null : now.wall - at.wall
}

/**
 * `age`: of what was fetched; null: it cannot be told. `reached`: the last try arrived; null: there
 * was none.
 */
export function standing(has: boolean, age: number | null, reached: boolean | null): Standing {
  if (!has) return 'none'
  if (reached === null) return 'asking'
  if (!reached) return 'off'
  // What is of no known age is not fresh.
  return age === null || age > FRESH ? 'old' : 'fresh'
}

/**
 * Whether the browser has cleared away what was not sent: something was, and now there is nothing
 * at all of that person.
 */
export function isCleared(told: number, found: { kept: number; fetched: boolean }): boolean {
  return told > 0 && found.kept === 0 && !found.fetched
}
