/** What drawings need to know: text that fits, scales with their limits, arcs. */
import type { Point, Priority } from '../client/types.ts'
import { PRIORITIES } from './ranking.ts'

/** em; the letters of the page's faces are a little narrower on average. */
const LETTER = 0.54
const CJK = 0x2e80

/**
 * Between these a line may end: after a Latin word, after an ideograph, but not before what
 * closes nor after what opens.
 */
const PIECES = /[^\u2e80-\uffff\s]+\s*|\s+|[（《「]*[\u2e80-\uffff][）》」，。、：；]*\s*/g

/** How wide `text` is, in em. */
export function widthOf(text: string): number {
  return [...text].reduce((sum, char) => sum + letterWidth(char), 0)
}

function letterWidth(char: string): number {
  return (char.codePointAt(0) ?? 0) >= CJK ? 1 : LETTER
}

/** `text` in at most `most` lines of `width` em, cut with an ellipsis where it is longer. */
export function wrapped(text: string, width: number, most = 1): string[] {
  const lines = ['']
  for (const piece of text.match(PIECES) ?? []) {
    const line = lines[lines.length - 1] ?? ''
    if (line === '' || widthOf((line + piece).trimEnd()) <= width) lines[lines.length - 1] = line + piece
    else lines.push(piece)
  }
  const kept = lines.slice(0, most).map((line) => line.trimEnd())
  if (lines.length > most) kept[most - 1] += '…'
  return kept.map((line) => cut(line, width))
}

function cut(line: string, width: number): string {
  if (widthOf(line) <= width) return line
  const chars = [...line.replace(/…$/, '')]
  while (chars.length > 0 && widthOf(chars.join('')) + 1 > width) chars.pop()
  return `${chars.join('').trimEnd()}…`
}

/** A part of a scale that a rule calls wrong. */
export interface Band {
  from: number
  to: number
  priority: Priority
}

export interface Scale {
  low: number
  high: number
  /** The worst last, so that it is drawn above the others. */
  bands: Band[]
  /** The limits that come first on the way up and down. */
  marks: { at: number; priority: Priority }[]
}

/**
 * The stretch on which the point is drawn: as much beyond its limits as shows where it stands,
 * else the range that its profile gives; null where neither says anything.
 */
export function scale({ low, high, limits }: Pick<Point, 'low' | 'high' | 'limits'>): Scale | null {
  const above = limits.flatMap(({ above, priority }) =>
    typeof above === 'number' ? [{ at: above, priority }] : [],
  )
  const below = limits.flatMap(({ below, priority }) =>
    typeof below === 'number' ? [{ at: below, priority }] : [],
  )
  const top = above.toSorted((one, other) => one.at - other.at)[0]
  const bottom = below.toSorted((one, other) => other.at - one.at)[0]
  const range = stretch(bottom?.at, top?.at, low ?? null, high ?? null)
  if (range === null || !(range[1] > range[0])) return null
  const [from, to] = range
  const bands = [
    ...above.map(({ at, priority }) => ({ from: at, to, priority })),
    ...below.map(({ at, priority }) => ({ from, to: at, priority })),
  ]
  return {
    low: from,
    high: to,
    bands: bands
      .filter((band) => band.to > band.from)
      .toSorted((one, other) => PRIORITIES.indexOf(other.priority) - PRIORITIES.indexOf(one.priority)),
    marks: [bottom, top].flatMap((mark) => mark ?? []),
  }
}

function stretch(
  bottom: number | undefined,
  top: number | undefined,
  low: number | null,
  high: number | null,
): [number, number] | null {
  const within = (from: number, to: number): [number, number] => [
    Math.max(from, low ?? from),
    Math.min(to, high ?? to),
  ]
  if (bottom !== undefined && top !== undefined) {
    const beyond = (top - bottom) / 2
    return within(bottom - beyond, top + beyond)
  }
  if (top !== undefined && top > 0) return within(0, (top * 4) / 3)
  if (low === null || high === null) return null
  return [low, high]
}

/** Where `value` lies on the scale, 0 to 1; what is beyond it stands at its end. */
export function share({ low, high }: Pick<Scale, 'low' | 'high'>, value: number): number {
  return Math.min(1, Math.max(0, (value - low) / (high - low)))
}

/** Degrees, clockwise from three o’clock, at which a dial begins and how far it goes. */
const DIAL_START = 150
const DIAL_SWEEP = 240

/** The place at `part` (0 to 1) of a dial around `x`, `y`. */
export function onDial(x: number, y: number, radius: number, part: number): [number, number] {
  const angle = ((DIAL_START + DIAL_SWEEP * part) * Math.PI) / 180
  return [round(x + radius * Math.cos(angle)), round(y + radius * Math.sin(angle))]
}

/** The path of a dial's arc between two of its parts (0 to 1). */
export function dialArc(x: number, y: number, radius: number, from: number, to: number): string {
  const large = (to - from) * DIAL_SWEEP > 180 ? 1 : 0
  const end = onDial(x, y, radius, to).join(' ')
  return `M${onDial(x, y, radius, from).join(' ')}A${radius} ${radius} 0 ${large} 1 ${end}`
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

/** At most `most` of `all` around the one at `index`, in their order. */
export function around<Item>(all: readonly Item[], index: number, most: number): Item[] {
  const start = Math.max(0, Math.min(index - Math.floor(most / 2), all.length - most))
  return all.slice(start, start + most)
}
