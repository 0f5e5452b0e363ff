/** How a plan is put into words: what makes it due, and when. */
import type { PlanDue, PlanSummary } from '@/client/types'
import { daysBetween } from '@/model/days'
import { spanOf } from '@/model/plans'
import { useWords } from '@/words'

export function usePlanWords() {
  const { t, day } = useWords()

  const span = (interval: string): string => {
    const { n, unit } = spanOf(interval)
    return t(`plans.span.${unit}`, { n })
  }

  /** `每 15 天`, `完成后 12 个月或计数到限，先到为准`. */
  const trigger = (plan: PlanSummary): string => {
    if (plan.every) return t('plans.every', { span: span(plan.every) })
    if (plan.rrule) return plan.rrule
    const after = plan.after ? t('plans.after', { span: span(plan.after) }) : ''
    if (plan.counters.length === 0) return after
    return after ? t('plans.whicheverFirst', { after }) : t('plans.byCounter')
  }

  /** `3 天后`, `已过 2 天`. */
  const left = (due: Pick<PlanDue, 'day'>): string => {
    if (!due.day) return ''
    const days = daysBetween(day(), due.day)
    if (days === 0) return t('plans.today')
    return days > 0 ? t('plans.inDays', { n: days }) : t('plans.daysAgo', { n: -days })
  }

  return { span, trigger, left }
}
