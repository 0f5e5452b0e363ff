/** Figures as people read them. */

const THIN_SPACE = '\u2009'
const MINUS = '\u2212'

/** `2184.5` with one decimal is `2 184.5`: a thin space between thousands, a true minus. */
export function figure(value: number, decimals = 0): string {
  const fixed = Math.abs(value).toFixed(decimals)
  const [whole = '', fraction] = fixed.split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, THIN_SPACE)
  const sign = value < 0 && Number(fixed) !== 0 ? MINUS : ''
  return sign + (fraction === undefined ? grouped : `${grouped}.${fraction}`)
}

/** A length of time on a clock's face: `1:39:00`, `1:18`; the sign is the caller's business. */
export function countdown(ms: number): string {
  const seconds = Math.floor(Math.abs(ms) / 1000)
  const two = (part: number): string => String(part).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = two(seconds % 60)
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`
}

export type SpanUnit = 'second' | 'minute' | 'hour' | 'day'

/** A length of time in its one or two largest units: `[[1, 'hour'], [5, 'minute']]`. */
export function span(ms: number): [number, SpanUnit][] {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return [[seconds, 'second']]
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return [[minutes, 'minute']]
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return withRest([hours, 'hour'], [minutes % 60, 'minute'])
  return withRest([Math.floor(hours / 24), 'day'], [hours % 24, 'hour'])
}

function withRest(
  whole: [number, SpanUnit],
  rest: [number, SpanUnit],
): [number, SpanUnit][] {
  return rest[0] === 0 ? [whole] : [whole, rest]
}

/** A difference: as `figure`, with a plus where it is more. */
export function signed(value: number, decimals = 0): string {
  const shown = figure(value, decimals)
  return value > 0 && Number(value.toFixed(decimals)) !== 0 ? `+${shown}` : shown
}
