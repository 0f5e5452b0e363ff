/** A trend as a table: what was drawn, in finer steps, with every gap and its reason. */
import type { Readings } from '@/client/types'
import { stretches } from '@/model/gaps'

/** A row a step; `other` stands beside it, step by step, at its own times. */
export function table(
  readings: Readings,
  other: Readings | null,
  name: string,
  otherName: string,
): (string | number | null)[][] {
  const figures = ['mean', 'min', 'max', 'last', 'readings', 'quality']
  const head = ['time', ...figures.map((one) => `${name} ${one}`), 'gap']
  const more = other === null ? [] : ['time', ...figures.slice(0, 4).map((one) => `${otherName} ${one}`)]
  const gaps = stretches(readings)
  const rows = readings.buckets.map((bucket, index) => {
    const at = Date.parse(bucket.start)
    const gap = gaps.find(({ start, end }) => at >= start && at < end)
    const { mean, min, max, last, count } = bucket
    // A step without readings that is no gap: nothing changed enough to be kept.
    const quality = count === 0 && gap === undefined ? null : bucket.quality
    const beside = other?.buckets[index]
    return [
      bucket.start,
      ...[mean, min, max, last, count],
      quality,
      gap?.reason ?? null,
      ...(beside === undefined ? [] : [beside.start, beside.mean, beside.min, beside.max, beside.last]),
    ]
  })
  return [[...head, ...more], ...rows]
}
