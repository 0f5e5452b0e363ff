/** Which alarm matters now, and the one verdict over all of them. */
import type { Alarm, Priority } from '../client/types.ts'

export const PRIORITIES: readonly Priority[] = ['critical', 'major', 'minor', 'info']

/** Comes first in front of: present before returned, worse first, unseen first, newest first. */
export function byUrgency(one: Alarm, other: Alarm): number {
  return (
    Number(other.present) - Number(one.present) ||
    PRIORITIES.indexOf(one.priority) - PRIORITIES.indexOf(other.priority) ||
    Number(one.state !== 'unacknowledged') - Number(other.state !== 'unacknowledged') ||
    Date.parse(other.raised_at) - Date.parse(one.raised_at)
  )
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
