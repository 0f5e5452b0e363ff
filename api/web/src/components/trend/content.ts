import type { Bucket, Priority } from '@/client/types'
import type { Stretch } from '@/model/gaps'

/** A limit as it is drawn: a line, and a band on its wrong side. */
export interface DrawnLimit {
  above: number | null
  below: number | null
  priority: Priority
  words: string
}

/** Everything that a trend shows; times in ms since 1970. */
export interface TrendContent {
  buckets: readonly Bucket[]
  start: number
  end: number
  gaps: readonly (Stretch & { words: string })[]
  limits: readonly DrawnLimit[]
  /** A flag or state: it steps, and its codes have names. */
  steps: boolean
  states: Readonly<Record<string, string>>
  unit: string
  decimals: number
  zone: string
  words: { mean: string; range: string; last: string; nothing: string }
}
