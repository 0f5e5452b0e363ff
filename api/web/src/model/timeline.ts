/** Alarms, orders and what the register says as a line of happenings, the newest first. */
import type {
  Alarm,
  LifecycleEvent,
  Order,
  Priority,
  RanMonth,
  RegisterPast,
  Text,
} from '../client/types.ts'

/** One happening. */
export interface Entry {
  /** ISO time. */
  at: string
  /** Of an alarm one of three; of an order the word of its event. */
  what: string
  by: string | null
  /** What it happened to. */
  alarm?: Alarm
  order?: Order
  /** Of what was raised or cleared. */
  priority?: Priority
  /** As the server has it, where its history is known. */
  event?: LifecycleEvent
  /** Where it leads to, where that is neither an alarm nor an order. */
  to?: string
  /** Which fields of the record were changed. */
  fields?: readonly string[]
  finding?: RegisterPast['findings'][number]
  /** Of maintenance: its name. */
  maintained?: Text
  /** Of how long it ran in a month, by one of its counters. */
  ran?: RanMonth
  /** Why it was taken out of service, or put off. */
  note?: string
}

/** The newest `most` happenings of these alarms and orders, and of what else is known. */
export function timeline(
  alarms: readonly Alarm[],
  orders: readonly Order[],
  most: number,
  others: readonly Entry[] = [],
): Entry[] {
  // Of the same moment the order comes after the alarm that raised it, so it stands above.
  return [...orders.flatMap(ofOrder), ...alarms.flatMap(ofAlarm), ...others]
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

/** Every step where the history is there, else those of which the order itself has the moment. */
function ofOrder(order: Order): Entry[] {
  const steps = order.events
    ? order.events.map((event) => ({ at: event.at, what: event.event, by: event.by, event }))
    : moments(order)
  // Of several steps of one moment the last stands above.
  return steps.map((step) => ({ ...step, order })).toReversed()
}

function moments(order: Order): { at: string; what: string; by: string | null }[] {
  const known: readonly (readonly [string, string | null | undefined, string | null | undefined])[] = [
    ['create', order.created_at, null],
    ['assign', order.assigned_at, null],
    ['accept', order.accepted_at, order.accepted_by],
    ['arrive', order.arrived_at, order.accepted_by],
    ['complete', order.completed_at, order.completed_by],
    ['verify', order.verified_at, order.verified_by],
    ['visit', order.visited_at, null],
    ['close', order.closed_at, null],
  ]
  const found = known.flatMap(([what, at, by]) => (at ? [{ at, what, by: by ?? null }] : []))
  // What ends it with a visit or a verdict is closed by that.
  return found.filter(
    ({ what, at }) =>
      what !== 'close' || !found.some((step) => step.what !== 'close' && step.at === at),
  )
}

/** What happened to `equipment` beside alarms and orders. */
export function ofRegister(equipment: string, past: RegisterPast): Entry[] {
  const here = `/equipment/${equipment}`
  return [
    ...past.changes.map(({ at, by, fields }) => {
      // Of all dates, and of all spare parts, one word is enough.
      const names = new Set(fields.map(({ field }) => field.split('.')[0] ?? field))
      return { at, what: 'recorded', by, to: `${here}/register`, fields: [...names] }
    }),
    ...past.findings.map((finding) => {
      return { at: finding.at, what: 'found', by: null, to: `/rounds/${finding.round}`, finding }
    }),
    ...past.maintenance.map(({ at, by, due, event, why, name }) => {
      const note = why === null || event === 'announce' ? {} : { note: why }
      return { at, what: `maintenance.${event}`, by, to: `/plans/due/${due}`, maintained: name, ...note }
    }),
    ...past.service.map(({ at, by, out, reason }) => {
      const what = out ? 'takenOut' : 'broughtBack'
      return { at, what, by, to: here, ...(reason === null ? {} : { note: reason }) }
    }),
  ]
}

/** How long it ran in each month, as happenings of the month's end. */
export function ofRunHours(equipment: string, months: readonly RanMonth[]): Entry[] {
  return months.map((ran) => ({ at: ran.at, what: 'ran', by: null, to: `/equipment/${equipment}`, ran }))
}

/** What the happenings of a piece of equipment can be narrowed to. */
export const SORTS = ['all', 'alarms', 'orders', 'rounds', 'upkeep'] as const
export type Sort = (typeof SORTS)[number]

/** Which sort a happening is; null: it is told among all only. */
export function sortOf({ alarm, order, finding, maintained, ran }: Entry): Sort | null {
  if (maintained !== undefined || ran !== undefined) return 'upkeep'
  if (alarm !== undefined) return 'alarms'
  if (order !== undefined) return order.source === 'plan' ? 'upkeep' : 'orders'
  return finding !== undefined ? 'rounds' : null
}

/** `known` with what is newer of each in `news`, by id. */
export function freshened<Document extends { id: string }>(
  known: readonly Document[],
  news: readonly Document[],
): Document[] {
  return [...new Map([...known, ...news].map((one) => [one.id, one])).values()]
}
