/** Numbers that people write into fields. */

export interface Drafted {
  limit: number | null
  delay_s: number | null
}

/** The number that stands in a field; null: nothing does; NaN: it is none. */
export function numberOf(field: string): number | null {
  const written = field.trim().replace(/[−﹣－]/g, '-')
  if (written === '') return null
  return /^[-+]?(\d+(\.\d*)?|\.\d+)$/.test(written) ? Number(written) : Number.NaN
}

/**
 * What two fields say that is other than `limit` and `delay_s`; what is as it was is null.
 */
export function drafted(
  fields: { limit: string; delay: string },
  before: { limit: number | null; delay_s: number },
): Drafted {
  const limit = numberOf(fields.limit)
  const delay = numberOf(fields.delay)
  return {
    limit: limit === before.limit ? null : limit,
    delay_s: delay === before.delay_s ? null : delay,
  }
}
