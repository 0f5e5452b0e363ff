/**
 * How much of whom is not sent from this phone, beside the list itself: a browser that clears the
 * list away when storage is short often leaves this, and then the loss is said.
 */
import { keep, recalled } from './kept'

const TALLY = 'dutyroom.phone.unsent'

type Tally = Record<string, number>

function tally(): Tally {
  try {
    return JSON.parse(recalled(TALLY) ?? '{}') as Tally
  } catch {
    return {}
  }
}

export function unsentOf(person: string): number {
  return tally()[person] ?? 0
}

/** Of everybody who uses this phone. */
export function unsentHere(): number {
  return Object.values(tally()).reduce((sum, n) => sum + n, 0)
}

export function tellUnsent(person: string, n: number): void {
  const { [person]: before = 0, ...others } = tally()
  if (before === n) return
  const after = n > 0 ? { ...others, [person]: n } : others
  keep(TALLY, Object.keys(after).length > 0 ? JSON.stringify(after) : null)
}
