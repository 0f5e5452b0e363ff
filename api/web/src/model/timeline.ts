/** Alarms and orders as a line of happenings, the newest first. */
import type { Alarm, Order, Priority } from '../client/types.ts'

/** One happening. */
export interface Entry {
  /** ISO time. */
  at: string
  what: 'raised' | 'acknowledged' | 'cleared' | 'created' | 'accepted' | 'completed'
  by: string | null
  /** What it happened to. */
  alarm?: Alarm
  order?: Order
  /** Of what was raised or cleared. */
  priority?: Priority
}

/** The newest `most` happenings of these alarms and orders. */
export function timeline(
  alarms: readonly Alarm[],
  orders: readonly Order[],
  most: number,
): Entry[] {
  // Of the same moment the order comes after the alarm that raised it, so it stands above.
  return [...orders.flatMap(ofOrder), ...alarms.flatMap(ofAlarm)]
    .sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
    .slice(0, most)
}

function ofAlarm(alarm: Alarm): Entry[] {
  const { priority, raised_at, acknowledged_at, acknowledged_by, cleared_at } = alarm
  const found: Entry[] = [{ at: raised_at, what: 'raised', by: null, alarm, priority }]
  if (acknowledged_at !== null) {
    found.push({ at: acknowledged_at, what: 'acknowledged', by: acknowledged_by, alarm })
  }
  if (cleared_at !== null) {
    found.push({ at: cleared_at, what: 'cleared', by: null, alarm, priority })
  }
  return found
}

function ofOrder(order: Order): Entry[] {
  const { created_at, accepted_at, accepted_by, completed_at, completed_by } = order
  const found: Entry[] = [{ at: created_at, what: 'created', by: null, order }]
  if (accepted_at !== null) found.push({ at: accepted_at, what: 'accepted', by: accepted_by, order })
  if (completed_at !== null) {
    found.push({ at: completed_at, what: 'completed', by: completed_by, order })
  }
  return found
}
