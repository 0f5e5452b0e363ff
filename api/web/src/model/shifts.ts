/** The log of a shift as one stream, and what a handover waits for. */
import type { Handover, HandoverBlock, ShiftEntry, ShiftLog } from '@/client/types'

type Line = ShiftLog['lines'][number]

/** One row of the log: what the system knows, or what somebody wrote. */
export type Row =
  | { key: string; at: string; line: Line; entry?: undefined }
  | { key: string; at: string; entry: ShiftEntry; corrected: boolean; line?: undefined }

/** Everything of a log, the newest first; what was corrected stays, and is marked. */
export function rowsOf(log: ShiftLog): Row[] {
  const corrected = new Set(log.entries.map((entry) => entry.corrects))
  const rows: Row[] = [
    ...log.lines.map((line, index) => ({ key: `line-${index}`, at: line.at, line })),
    ...log.entries.map((entry) => ({
      key: entry.id,
      at: entry.happened_at,
      entry,
      corrected: corrected.has(entry.id),
    })),
  ]
  return rows.sort((one, other) => Date.parse(other.at) - Date.parse(one.at))
}

/** Where what a line of a log or a sheet is about can be seen; empty: nowhere. */
export function placeOf(kind: string, about: string): string {
  const places: Record<string, string> = {
    alarm: '/alarms/',
    order: '/orders/',
    round: '/rounds/',
    test: '/alarms/tests/',
    equipment: '/equipment/',
    plan: '/plans/due/',
  }
  const place = places[kind]
  return place === undefined || about === '' ? '' : place + encodeURIComponent(about)
}

/** What a block is about, of those that are about something with a place of its own. */
const ABOUT: Record<string, string> = {
  accident: 'order',
  'joint-repair': 'order',
  'fault-meanwhile': 'alarm',
  'cause-unknown': 'alarm',
}

/** Where what forbids a handover can be seen; `isEquipment`: whether an id is one of equipment. */
export function placeOfBlock(block: HandoverBlock, isEquipment: (id: string) => boolean): string {
  return placeOf(isEquipment(block.about) ? 'equipment' : (ABOUT[block.key] ?? ''), block.about)
}

const OPEN = ['preparing', 'meeting', 'stopped', 'given']

export function isOpen(handover: Handover): boolean {
  return OPEN.includes(handover.state)
}

/** What forbids it and was not let pass. */
export function blocking(handover: Handover): HandoverBlock[] {
  return handover.blocks.filter((block) => !block.overridden)
}

/** The step of S1 at which it is: prepare, arrive, check and count, both sign. */
export function stepOf(handover: Handover): number {
  if (handover.state === 'signed') return 4
  if (handover.state === 'given') return 3
  if (handover.arrivals.length === 0) return handover.state === 'preparing' ? 1 : 0
  return blocking(handover).length === 0 ? 3 : 2
}

/** What of an answer is left to say: a number that differs, or a no, needs a word on it. */
export function needsNote(quantity: number, counted: string): boolean {
  return counted.trim() !== '' && Number(counted) !== quantity
}
