/** Why an alarm is up, and why it does or does not call, in sentences. */
import { computed, type ComputedRef } from 'vue'

import type { Alarm } from '@/client/types'
import { figure } from '@/model/figures'
import { useLive } from '@/stores/live'
import { usePeople } from '@/stores/people'
import { useSite } from '@/stores/site'
import { useTime } from '@/stores/time'
import { useWords } from '@/words'
import { useTold } from './told'

export function useWhy(alarm: () => Alarm): ComputedRef<string[]> {
  const live = useLive()
  const people = usePeople()
  const site = useSite()
  const time = useTime()
  const { t, text, limit, when, duration } = useWords()
  const { nameOf } = useTold()

  /** `电机温度 81.2 ℃，上限 75`: what was read and what it is held against. */
  function reading(one: Alarm): string[] {
    const point = site.points.get(one.point)
    if (point === undefined || one.value === null) return []
    const name = text(point.name)
    if (point.kind !== 'number') {
      const word = text(point.states[String(one.value)]) || figure(one.value)
      return [t('alarm.why.word', { point: name, value: word })]
    }
    const value = `${figure(one.value, Math.min(point.decimals, 1))} ${one.unit}`.trim()
    const held = limit(one)
    return [
      held === ''
        ? t('alarm.why.plain', { point: name, value })
        : t('alarm.why.number', { point: name, value, limit: held }),
    ]
  }

  function beginning(one: Alarm): string[] {
    const delay = Date.parse(one.raised_at) - Date.parse(one.first_reading_at)
    const at = when(one.first_reading_at)
    const found = [
      delay >= 1000
        ? t('alarm.why.delay', { time: at, span: duration(delay) })
        : t('alarm.why.atOnce', { time: at }),
    ]
    if (one.count > 1) {
      const last = when(one.last_raised_at ?? one.raised_at)
      found.push(t('alarm.why.again', { n: one.count, time: last }))
    }
    return found
  }

  function standing(one: Alarm): string[] {
    switch (one.state) {
      case 'suppressed': {
        if (!one.explained_by) return []
        return [t('alarm.why.suppressed', { name: nameOf(one.explained_by) })]
      }
      case 'acknowledged': {
        const left = Date.parse(one.acknowledged_until ?? '') - time.now
        return left > 0 ? [t('alarm.why.holds', { span: duration(left) })] : []
      }
      case 'returned_unacknowledged':
        return [t('alarm.why.returned')]
      case 'latched':
        return [t('alarm.why.latched')]
      case 'out_of_service':
        return [t('alarm.why.out_of_service')]
      default:
        return []
    }
  }

  return computed(() => {
    const one = alarm()
    const found = [...reading(one), ...beginning(one), ...standing(one)]
    if (one.shelf) {
      const { by, until, reason } = one.shelf
      found.push(t('alarm.why.shelved', { by: people.nameOf(by), time: when(until), reason }))
    }
    if (one.latches && one.present) found.push(t('alarm.why.latches'))
    if (one.life_safety && one.state !== 'closed') found.push(t('alarm.why.lifeSafety'))
    if (one.present && site.points.has(one.point) && live.seen(one.point).past) {
      found.push(t('alarm.why.unread'))
    }
    return found
  })
}
