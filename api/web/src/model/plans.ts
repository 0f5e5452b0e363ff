/** Maintenance that is due: its states, from what is wrong to what is over. */
import type { PlanDueState } from '@/client/types'

/** What asks for somebody first comes first. */
export const STATES: readonly PlanDueState[] = [
  'overdue',
  'late',
  'missed',
  'in_progress',
  'due',
  'planned',
  'done',
  'void',
]

const OVER: readonly PlanDueState[] = ['done', 'missed', 'void']

export const isOver = (state: PlanDueState): boolean => OVER.includes(state)

/** What a state is coloured as; without: it is as it should be. */
export const TONES: Partial<Record<PlanDueState, 'major' | 'critical'>> = {
  late: 'major',
  overdue: 'critical',
  missed: 'critical',
}

/** The states that there are in a month, the most urgent first, and how many of each. */
export function counted(
  month: Readonly<Partial<Record<PlanDueState, number>>> | undefined,
): { state: PlanDueState; n: number }[] {
  if (month === undefined) return []
  return STATES.flatMap((state) => {
    const n = month[state] ?? 0
    return n > 0 ? [{ state, n }] : []
  })
}

/** `15 days` as its number and unit. */
export function spanOf(interval: string): { n: number; unit: string } {
  const [n = '0', unit = 'days'] = interval.split(' ')
  return { n: Number(n), unit: unit.replace(/s$/, '') }
}

/** The required steps that nobody has ticked. */
export function unticked<Step extends { required: boolean; done_at: string | null }>(
  steps: readonly Step[],
): Step[] {
  return steps.filter(({ required, done_at: at }) => required && at === null)
}

/** How far a counter has come, 0 to 1. */
export const share = (grown: number, every: number): number =>
  Math.min(1, Math.max(0, every > 0 ? grown / every : 0))
