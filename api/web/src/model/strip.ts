/** The last day of a system in one strip: when it was abnormal, and how badly. */
import type { Alarm, Priority } from '../client/types.ts'
import { PRIORITIES } from './ranking.ts'

export interface Mark {
  id: string
  priority: Priority
  /** From 0 (a day ago) to 1 (now). */
  left: number
  width: number
}

export const DAY = 86_400_000

/** The marks of `alarms` in the day before `now` (ms), the worst last, so that it lies on top. */
export function marks(alarms: readonly Alarm[], now: number): Mark[] {
  const start = now - DAY
  return alarms
    .map((alarm) => {
      const from = Math.max(start, Date.parse(alarm.raised_at))
      const to = alarm.cleared_at === null ? now : Math.min(now, Date.parse(alarm.cleared_at))
      return {
        id: alarm.id,
        priority: alarm.priority,
        left: (from - start) / DAY,
        width: (to - from) / DAY,
      }
    })
    .filter(({ width }) => width >= 0)
    .sort((one, other) => PRIORITIES.indexOf(other.priority) - PRIORITIES.indexOf(one.priority))
}
