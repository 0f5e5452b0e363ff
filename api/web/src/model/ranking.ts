/** Which alarm matters now, and the one verdict over all of them. */
import type { Alarm, Priority } from '../client/types.ts'

export const PRIORITIES: readonly Priority[] = ['critical', 'major', 'minor', 'info']

/** Fire or entrapment that somebody has still to look at: nothing stands above it. */
export function isLifeSafety({ life_safety, present, state }: Alarm): boolean {
  return life_safety && (present || state === 'returned_unacknowledged')
}

/** It was there first, and others are there because of it. */
export function isFirstOut({ first_out, explains }: Alarm): boolean {
  return first_out && explains > 0
}

/**
 * Comes first in front of: fire and entrapment, then present before returned, critical, first-out,
 * worse, unseen. Each digit decides only where those before it are equal.
 */
function weight(alarm: Alarm): number {
  const critical = alarm.priority === 'critical'
  return [
    !isLifeSafety(alarm),
    !alarm.present,
    !critical,
    !isFirstOut(alarm),
    PRIORITIES.indexOf(alarm.priority),
    alarm.state !== 'unacknowledged',
  ].reduce<number>((total, digit) => total * PRIORITIES.length + Number(digit), 0)
}

/** The one that matters now first; of those that weigh the same the newest. */
export function ranked(alarms: Iterable<Alarm>): Alarm[] {
  // Of ten thousand each is weighed once, not whenever two are compared.
  const weighed = Array.from(alarms, (alarm) => ({
    alarm,
    weight: weight(alarm),
    at: Date.parse(alarm.raised_at),
  }))
  weighed.sort((one, other) => one.weight - other.weight || other.at - one.at)
  return weighed.map(({ alarm }) => alarm)
}

/** The worst priority among the alarms whose condition is there now; null: none is. */
export function worstPresent(alarms: readonly Alarm[]): Priority | null {
  const present = alarms.filter((alarm) => alarm.present).map((alarm) => alarm.priority)
  return PRIORITIES.find((priority) => present.includes(priority)) ?? null
}

export type Verdict =
  /** The page does not know. */
  | { kind: 'lost' }
  /** The server does not hear the equipment. */
  | { kind: 'silent' }
  /** The ledger is away: there may be older alarms that the page has not seen. */
  | { kind: 'unwritten' }
  | { kind: 'alarms'; priority: Priority; count: number; others: number }
  /** Everything is back, some alarms wait to be seen. */
  | { kind: 'returned'; count: number }
  /** Nothing is wrong as far as is known, but some values are missing. */
  | { kind: 'blind'; points: number; returned: number }
  | { kind: 'well' }

/** What can honestly be said of the whole site in one line. */
export function verdict(
  alarms: readonly Alarm[],
  knowledge: { connected: boolean; heard: boolean; blindPoints: number; ledger: boolean },
): Verdict {
  if (!knowledge.connected) return { kind: 'lost' }
  const priority = worstPresent(alarms)
  if (priority !== null) {
    const count = alarms.filter((alarm) => alarm.present && alarm.priority === priority).length
    return { kind: 'alarms', priority, count, others: alarms.length - count }
  }
  if (!knowledge.heard) return { kind: 'silent' }
  if (!knowledge.ledger) return { kind: 'unwritten' }
  if (knowledge.blindPoints > 0) {
    return { kind: 'blind', points: knowledge.blindPoints, returned: alarms.length }
  }
  if (alarms.length > 0) return { kind: 'returned', count: alarms.length }
  return { kind: 'well' }
}
