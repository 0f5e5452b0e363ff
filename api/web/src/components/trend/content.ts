import type { Bucket, Priority } from '@/client/types'
import type { Stretch } from '@/model/gaps'

/** A limit as it is drawn: a line, and a band on its wrong side. */
export interface DrawnLimit {
  above: number | null
  below: number | null
  priority: Priority
  words: string
}

/** Readings of a line. */
export interface Line {
  buckets: readonly Bucket[]
  gaps: readonly Stretch[]
}

/** What it is compared with. */
export interface Other extends Line {
  name: string
  /** ms that its readings lie before those that they stand beside. */
  back: number
  unit: string
  decimals: number
  /** It is measured in something else: it has a scale of its own, at the left. */
  apart: boolean
}

/** Everything that a trend shows; times in ms since 1970. */
export interface TrendContent {
  buckets: readonly Bucket[]
  start: number
  end: number
  gaps: readonly (Stretch & { words: string })[]
  limits: readonly DrawnLimit[]
  other: Other | null
  /** Lines at which something happened. */
  moments: readonly { at: number; words: string }[]
  /** A flag or state: it steps, and its codes have names. */
  steps: boolean
  states: Readonly<Record<string, string>>
  unit: string
  decimals: number
  zone: string
  words: { mean: string; range: string; last: string; nothing: string }
}
