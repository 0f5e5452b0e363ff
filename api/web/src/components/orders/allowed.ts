/** How long a clock allows, in words. */
import type { Clock } from '@/client/types'
import { figure } from '@/model/figures'
import { useWords } from '@/words'

const HOUR = 3600

export function useAllowed(): { allowed(clock: Clock): string } {
  const { t, duration } = useWords()

  /** Hours of working time: its days are not those of the calendar. */
  function working(seconds: number): string {
    if (seconds < HOUR) return duration(seconds * 1000)
    const hours = seconds / HOUR
    return t('span.hour', { n: figure(hours, Number.isInteger(hours) ? 0 : 1) })
  }

  return {
    allowed({ limit_s: limit, calendar }) {
      const span =
        calendar === 'working_time'
          ? t('clock.ofWork', { span: working(limit) })
          : duration(limit * 1000)
      return t('clock.limit', { span })
    },
  }
}
