/** Which alarms call somebody, what hides behind which, and when they come too fast to be read. */
import type { Alarm, AlarmState, Equipment, Permission, Priority } from '../client/types.ts'
import { isFirstOut, isLifeSafety, PRIORITIES } from './ranking.ts'

/** It is there, and nobody is called for it. */
export type Aside = 'shelved' | 'suppressed' | 'out_of_service'
export const ASIDE: readonly Aside[] = ['shelved', 'suppressed', 'out_of_service']

export function isAside(state: AlarmState): state is Aside {
  return (ASIDE as readonly AlarmState[]).includes(state)
}

/** Somebody has to say that it was seen. */
export function waits({ state }: Alarm): boolean {
  return state === 'unacknowledged' || state === 'returned_unacknowledged'
}

/** Whether nothing of it is put aside but by the manager. */
export function isOfLifeSafety({ class: kind }: Pick<Equipment, 'class'>): boolean {
  return /^(fire|lift)/.test(kind)
}

/** What it takes to take `equipment` out of service and to bring it back. */
export function servicePermission(equipment: Pick<Equipment, 'class'>): Permission {
  return isOfLifeSafety(equipment) ? 'alarm.shelve_life_safety' : 'alarm.shelve'
}

/** What explains what: id of the cause → those that it explains, in the order they came. */
export function byCause(suppressed: readonly Alarm[]): Map<string, Alarm[]> {
  const found = new Map<string, Alarm[]>()
  const inTime = suppressed.toSorted(
    (one, other) => Date.parse(one.raised_at) - Date.parse(other.raised_at),
  )
  for (const alarm of inTime) {
    const cause = alarm.explained_by?.id ?? ''
    const effects = found.get(cause)
    if (effects === undefined) found.set(cause, [alarm])
    else effects.push(alarm)
  }
  return found
}

/** A flood: more than so many raised within this time (ms); it is over when fewer than `end` are. */
export const FLOOD = { more: 10, end: 5, within: 600_000 } as const

/** How many of `alarms` came up in the last ten minutes before `now` (ms). */
export function recent(alarms: readonly Alarm[], now: number): number {
  return alarms.filter(
    ({ last_raised_at, raised_at }) => now - Date.parse(last_raised_at ?? raised_at) < FLOOD.within,
  ).length
}

/** Whether it is a flood with `count` in ten minutes, if it was one `before`. */
export function flooded(before: boolean, count: number): boolean {
  return before ? count >= FLOOD.end : count > FLOOD.more
}

/** Many alarms in one line. */
export interface Group<Key extends string> {
  key: Key
  alarms: Alarm[]
  /** How many of each priority, those that there are. */
  counts: { priority: Priority; n: number }[]
  /** How many wait to be seen. */
  waiting: number
}

/**
 * `alarms`, in their order, as a flood shows them: one by one what is never hidden, the rest by
 * `keyOf`, the group with the most urgent one first.
 */
export function grouped<Key extends string>(
  alarms: readonly Alarm[],
  keyOf: (alarm: Alarm) => Key,
): { first: Alarm[]; groups: Group<Key>[] } {
  const first = alarms.filter((alarm) => isLifeSafety(alarm) || isFirstOut(alarm))
  const named = new Set(first.map(({ id }) => id))
  const parts = new Map<Key, Alarm[]>()
  for (const alarm of alarms) {
    if (named.has(alarm.id)) continue
    const key = keyOf(alarm)
    const part = parts.get(key)
    if (part === undefined) parts.set(key, [alarm])
    else part.push(alarm)
  }
  return {
    first,
    groups: [...parts].map(([key, part]) => ({
      key,
      alarms: part,
      counts: PRIORITIES.map((priority) => ({
        priority,
        n: part.filter((alarm) => alarm.priority === priority).length,
      })).filter(({ n }) => n > 0),
      waiting: part.filter(waits).length,
    })),
  }
}
