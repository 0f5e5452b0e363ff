/** The times of a round in words. */
import type { RoundSummary } from '@/client/types'
import { useTime } from '@/stores/time'
import { useWords } from '@/words'

interface RoundWindow {
  /** `18:00`, with the day where it is not today. */
  moment(iso: string): string
  /** `08:00 – 18:00`, with the days where they are not today. */
  window(round: RoundSummary): string
  /** How long there is still time, or since when there is none; empty where that is past. */
  left(round: RoundSummary): string
}

export function useWindow(): RoundWindow {
  const time = useTime()
  const { t, day, hourMinute, duration } = useWords()

  function moment(iso: string, reference = day()): string {
    const date = day(iso)
    return `${date === reference ? '' : `${date.slice(5)} `}${hourMinute(Date.parse(iso))}`
  }

  /** To the minute: nobody walks to the second. */
  function span(ms: number): string {
    return duration(Math.max(0, Math.ceil(ms / 60_000) * 60_000))
  }

  return {
    moment: (iso) => moment(iso),
    window: ({ opens_at, due_at }) =>
      `${moment(opens_at, day())} – ${moment(due_at, day(opens_at))}`,
    left: ({ state, opens_at, due_at }) => {
      const until = Date.parse(due_at) - time.now
      if (state === 'planned') {
        return t('rounds.left.planned', { span: span(Date.parse(opens_at) - time.now) })
      }
      if (state === 'late') return t('rounds.left.late', { span: span(-until) })
      if (state === 'due' || state === 'in_progress') {
        return t('rounds.left.open', { span: span(until) })
      }
      return ''
    },
  }
}
