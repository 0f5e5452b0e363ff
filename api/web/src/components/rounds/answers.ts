/** Answers and readings of items in words. */
import type { RoundEntryNew, RoundItem } from '@/client/types'
import { figure } from '@/model/figures'
import { useSite } from '@/stores/site'
import { useWords, type Written } from '@/words'

interface Answers {
  /** What a person answered, as it is read. */
  answer(item: RoundItem, value: RoundEntryNew['value']): Written
  /** What telemetry answered; `more`: which ones, or of how many. */
  proof(item: RoundItem, reading: NonNullable<RoundItem['reading']>): Written & { more: string }
  /** `下限 20`, `上限 75`; empty where nothing is limited. */
  limits(item: RoundItem): string[]
}

function decimals(value: number): number {
  return Math.min(3, String(value).split('.')[1]?.length ?? 0)
}

export function useAnswers(): Answers {
  const site = useSite()
  const { t, text } = useWords()

  function number(value: number, unit: string): Written {
    return { figure: figure(value, decimals(value)), unit }
  }

  return {
    answer(item, value) {
      if (typeof value === 'number') return number(value, item.unit)
      if (typeof value === 'boolean') {
        return { figure: t(value ? 'rounds.passed' : 'rounds.notPassed'), unit: '' }
      }
      const choice = item.choices.find(({ key }) => key === value)
      return { figure: choice ? text(choice.name) : value, unit: '' }
    },
    proof(item, { value, text: said, unit }) {
      const more = text(said)
      const point = item.point === null ? undefined : site.points.get(item.point)
      if (value === null || (point && point.kind !== 'number' && more)) {
        return { figure: more, unit: '', more: '' }
      }
      const most = point?.decimals ?? decimals(value)
      return { figure: figure(value, Math.min(most, decimals(value))), unit, more }
    },
    limits: ({ low, high }) => [
      ...(low === null ? [] : [t('limit.below', { value: figure(low, decimals(low)) })]),
      ...(high === null ? [] : [t('limit.above', { value: figure(high, decimals(high)) })]),
    ],
  }
}
