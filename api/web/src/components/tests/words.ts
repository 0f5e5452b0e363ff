/** Times and history of a planned test in words. */
import type { LifecycleEvent, PlannedTest } from '@/client/types'
import { monthDay } from '@/model/moments'
import { noted as namedIn } from '@/model/plannedTests'
import { useSite } from '@/stores/site'
import { useTime } from '@/stores/time'
import { useWords } from '@/words'

type Span = Pick<PlannedTest, 'starts_at' | 'ends_at' | 'started_at' | 'ended_at'>

export function useTestWords() {
  const site = useSite()
  const time = useTime()
  const { t, text, hourMinute } = useWords()

  /** `11-22 10:00`, without the day where that is today. */
  function moment(ms: number): string {
    const day = monthDay(ms, site.zone)
    const at = hourMinute(ms)
    return day === monthDay(time.now, site.zone) ? at : `${day} ${at}`
  }

  /** `10:00 – 12:00`: when it was, or is to be. */
  function span({ starts_at, ends_at, started_at, ended_at }: Span): string {
    const from = Date.parse(started_at ?? starts_at)
    const until = Date.parse(ended_at ?? ends_at)
    const sameDay = monthDay(from, site.zone) === monthDay(until, site.zone)
    return `${moment(from)} – ${sameDay ? hourMinute(until) : moment(until)}`
  }

  const nameOf = (equipment: string): string => text(site.byId.get(equipment)?.name) || equipment

  /** Why something happened: what the server notes are ids of equipment and rules. */
  function why(test: PlannedTest, { event, why: noted }: LifecycleEvent): string {
    if (noted === null) return ''
    if (event === 'confirm') return nameOf(noted)
    if (event === 'tick' || event === 'call') {
      const { row, called } = namedIn(test, noted)
      const name = row === null ? '' : `${text(row.equipment_name)} ${text(row.rule_name)}`
      const said = called === null ? '' : t(`test.call.${called}`)
      return [name, said].filter(Boolean).join(' · ') || noted
    }
    if (event !== 'fail') return noted
    // The sheet itself says which are missing.
    const said = noted.replace(/(; )?missing: .*$/s, '')
    const missing = t('test.missingRows', { n: test.expected - test.came })
    return [said, missing].filter(Boolean).join(' · ')
  }

  return { span, why }
}
