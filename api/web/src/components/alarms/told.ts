/** What is said of an alarm besides its state: who, until when, because of what. */
import type { Alarm, AlarmRef } from '@/client/types'
import { isAside } from '@/model/alarms'
import { usePeople } from '@/stores/people'
import { useTime } from '@/stores/time'
import { useWords } from '@/words'

export function useTold() {
  const people = usePeople()
  const time = useTime()
  const { t, text, when, duration } = useWords()

  const nameOf = ({ equipment_name, name }: AlarmRef): string =>
    t('alarm.title', { equipment: text(equipment_name), name: text(name) })

  /** `确认 14 分后失效`; empty where it holds for good or was not given. */
  function holding({ state, acknowledged_until }: Alarm): string {
    if (state !== 'acknowledged' || !acknowledged_until) return ''
    const left = Date.parse(acknowledged_until) - time.now
    return left > 0 ? t('alarm.holds', { span: duration(left) }) : t('alarm.held')
  }

  /** In a few words, under the state. */
  function standing(alarm: Alarm): string {
    if (alarm.provisional) return t('ledger.notYet')
    if (alarm.state === 'shelved' && alarm.shelf) {
      const { by, until } = alarm.shelf
      return t('alarm.shelfUntil', { by: people.nameOf(by), time: when(until) })
    }
    if (alarm.state === 'suppressed' && alarm.explained_by) {
      return t('alarm.because', { name: nameOf(alarm.explained_by) })
    }
    // Who had seen it before is no news of what calls nobody.
    if (isAside(alarm.state)) return ''
    return [people.nameOf(alarm.acknowledged_by), holding(alarm)].filter(Boolean).join('\u3000')
  }

  return { nameOf, holding, standing }
}
