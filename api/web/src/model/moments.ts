/** Times of day in the site's time zone, whatever zone the browser is in. */

const formats = new Map<string, Intl.DateTimeFormat>()

function parts(ms: number, zone: string): Record<string, string> {
  let format = formats.get(zone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    })
    formats.set(zone, format)
  }
  return Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
}

/** `19:42` */
export function hourMinute(ms: number, zone: string): string {
  const { hour, minute } = parts(ms, zone)
  return `${hour}:${minute}`
}

/** `19:42:07` */
export function timeOfDay(ms: number, zone: string): string {
  const { hour, minute, second } = parts(ms, zone)
  return `${hour}:${minute}:${second}`
}

/** `11-21` */
export function monthDay(ms: number, zone: string): string {
  const { month, day } = parts(ms, zone)
  return `${month}-${day}`
}

/** `2026-11-21` */
export function dayOf(ms: number, zone: string): string {
  const { year, month, day } = parts(ms, zone)
  return `${year}-${month}-${day}`
}

/** `19:42:07`, with `11-20` before it where that is not the day of `now`. */
export function when(ms: number, now: number, zone: string): string {
  return dayBefore(ms, now, zone) + timeOfDay(ms, zone)
}

/** The same to the minute, as of a shift. */
export function whenMinute(ms: number, now: number, zone: string): string {
  return dayBefore(ms, now, zone) + hourMinute(ms, zone)
}

function dayBefore(ms: number, now: number, zone: string): string {
  const day = monthDay(ms, zone)
  return day === monthDay(now, zone) && Math.abs(now - ms) < 86_400_000 ? '' : `${day} `
}

/** The hour of the day, 0 to 23. */
export function hourOf(ms: number, zone: string): number {
  return Number(parts(ms, zone)['hour'])
}

/** ms to add to UTC for the zone's wall time at `ms`. */
export function zoneOffset(ms: number, zone: string): number {
  const at = parts(ms, zone)
  const wall = Date.UTC(
    Number(at['year']),
    Number(at['month']) - 1,
    Number(at['day']),
    Number(at['hour']),
    Number(at['minute']),
    Number(at['second']),
  )
  return wall - Math.floor(ms / 1000) * 1000
}

/** `2026-11-21T19:42`, as a field for a day and a time takes it. */
export function wallTime(ms: number, zone: string): string {
  return `${dayOf(ms, zone)}T${hourMinute(ms, zone)}`
}

/** The moment that stands in such a field, as ISO 8601; null: nothing does. */
export function momentOf(wall: string, zone: string): string | null {
  const utc = Date.parse(`${wall}Z`)
  if (Number.isNaN(utc)) return null
  // The offset at the moment itself, which on the days of a change is not that of a guess.
  const guess = utc - zoneOffset(utc, zone)
  return new Date(utc - zoneOffset(guess, zone)).toISOString()
}
