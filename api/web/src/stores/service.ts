/** The equipment that is out of service: nothing of it calls anybody. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'

import { alarms } from '@/client/alarms'
import type { OutOfService, OutOfServiceList } from '@/client/types'
import { useLive } from './live'
import { useTime } from './time'

export const useService = defineStore('service', () => {
  const live = useLive()
  const time = useTime()
  const found = shallowRef<OutOfService[]>([])

  async function load(): Promise<void> {
    if (!live.ready) return
    try {
      found.value = (await alarms.outOfService()).items
    } catch {
      // What was known stays; it is asked for again with the next change or snapshot.
    }
  }

  watch([() => live.snapshots, () => live.changes.aside], () => void load(), { immediate: true })

  const breaks = computed(() =>
    found.value.filter(({ until }) => until === null || Date.parse(until) > time.now),
  )
  const byEquipment = computed(() => new Map(breaks.value.map((one) => [one.equipment, one])))

  /** Take what a write was answered with. */
  function take({ items }: OutOfServiceList): void {
    found.value = items
  }

  return { breaks, byEquipment, load, take }
})
