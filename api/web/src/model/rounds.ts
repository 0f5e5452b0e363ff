/** Rounds by what they need from a person, on the page. */
import type { Priority, RoundItem, RoundLevel, RoundState, RoundSummary, Text } from '../client/types.ts'

/** In place of an area, where all of the site is meant; as the API has it. */
export const WHOLE_SITE = '*'

/** How often something is looked at, the most often first. */
export const LEVELS = [
  'shift',
  'daily',
  'weekly',
  'half_monthly',
  'monthly',
  'quarterly',
  'half_yearly',
  'yearly',
] as const satisfies readonly RoundLevel[]

/** What a round needs now. */
export type Need = 'late' | 'open' | 'countersign' | 'coming' | 'missed' | 'done' | 'void'

/** What is first in the list is first to be seen to. */
const ORDER: readonly Need[] = ['late', 'open', 'countersign', 'coming', 'missed', 'done', 'void']

const OPEN: readonly RoundState[] = ['due', 'in_progress', 'late']

type Standing = Pick<RoundSummary, 'state' | 'countersign_role'>

export function need({ state, countersign_role }: Standing): Need {
  switch (state) {
    case 'late':
    case 'missed':
    case 'void':
      return state
    case 'due':
    case 'in_progress':
      return 'open'
    case 'planned':
      return 'coming'
    case 'done':
      return countersign_role === null ? 'done' : 'countersign'
    case 'countersigned':
      return 'done'
  }
}

/** Whether it can be filled in and signed now. */
export function isOpen({ state }: Pick<RoundSummary, 'state'>): boolean {
  return OPEN.includes(state)
}

/** Whether it was signed. */
export function isDone({ state }: Pick<RoundSummary, 'state'>): boolean {
  return state === 'done' || state === 'countersigned'
}

/** What needs a person now comes first; of these what is due first, of the past the newest. */
export function byNeed(one: RoundSummary, other: RoundSummary): number {
  const [needed, others] = [need(one), need(other)]
  const later = Date.parse(one.due_at) - Date.parse(other.due_at)
  const isPast = needed === 'missed' || needed === 'done' || needed === 'void'
  return (
    ORDER.indexOf(needed) - ORDER.indexOf(others) ||
    (isPast ? -later : later) ||
    one.id.localeCompare(other.id)
  )
}

/** How many of them there are of each need. */
export function needs(rounds: readonly RoundSummary[]): Record<Need, number> {
  const found = { late: 0, open: 0, countersign: 0, coming: 0, missed: 0, done: 0, void: 0 }
  for (const round of rounds) found[need(round)] += 1
  return found
}

/** How many items have an answer, by telemetry or a person. */
export function answered({ passed, failed }: RoundSummary['items']): number {
  return passed + failed
}

/** Whether a person has to answer this item. */
export function isOpenItem({ state, kind }: Pick<RoundItem, 'state' | 'kind'>): boolean {
  return state === 'handed_over' || (state === 'waiting' && kind === 'manual')
}

/** The value that telemetry proposes for a number, as it would be typed; null: none. */
export function proposed({
  kind,
  answer,
  reading,
}: Pick<RoundItem, 'kind' | 'answer' | 'reading'>): string | null {
  const value = reading?.value ?? null
  if (kind !== 'assisted' || answer !== 'number' || value === null) return null
  return String(Number(value.toFixed(3)))
}

/** Lines that are to be looked at again before the round is countersigned, and were not yet. */
export function unchecked(
  rows: readonly Pick<RoundItem, 'key' | 'sampled' | 'spot_check'>[],
): string[] {
  return rows.filter((one) => one.sampled && one.spot_check === null).map(({ key }) => key)
}

/** Whether telemetry has not answered it and a person may: now, or again. */
export function isForPerson(item: Pick<RoundItem, 'state' | 'kind' | 'entry'>): boolean {
  return item.entry !== null || isOpenItem(item)
}

/** Items one after the other that are of the same section. */
export function sections(items: readonly RoundItem[]): { name: Text | null; items: RoundItem[] }[] {
  const found: { name: Text | null; items: RoundItem[] }[] = []
  for (const item of items) {
    const last = found.at(-1)
    if (last && last.name?.zh === item.section?.zh) last.items.push(item)
    else found.push({ name: item.section, items: [item] })
  }
  return found
}

/** The priority of the order that a failure of this severity raises; minor ones raise none. */
export function priorityOf(severity: RoundItem['severity']): Priority {
  return ({ serious: 'major', normal: 'minor', minor: 'info' } as const)[severity]
}

/** What a person typed as a number, with either decimal sign; null: it is none. */
export function numberOf(typed: string): number | null {
  const plain = typed.trim().replace(/[,，。]/, '.')
  if (plain === '') return null
  const found = Number(plain)
  return Number.isFinite(found) ? found : null
}

/** Which limit does not hold for `value`. */
export function beyond(
  { low, high }: Pick<RoundItem, 'low' | 'high'>,
  value: number,
): 'low' | 'high' | null {
  if (low !== null && value < low) return 'low'
  return high !== null && value > high ? 'high' : null
}
