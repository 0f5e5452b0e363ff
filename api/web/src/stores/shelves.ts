/** The rules that lie on the shelf, also those whose alarm is over: they call nobody. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'

import { alarms } from '@/client/alarms'
import type { ShelfInForce } from '@/client/types'
import { useLive } from './live'
import { useTime } from './time'

export const useShelves = defineStore('shelves', () => {
  const live = useLive()
  const time = useTime()
  const found = shallowRef<ShelfInForce[]>([])

  async function load(): Promise<void> {
    if (!live.ready) return
    try {
      found.value = (await alarms.shelves()).items
    } catch {
      // What was known stays; it is asked for again with the next change or snapshot.
    }
  }

  watch(
    [() => live.snapshots, () => live.changes.aside, () => live.aside.shelved.length],
    () => void load(),
    { immediate: true },
  )

  return {
    /** Those of which no alarm is there: no list of alarms shows them. */
    over: computed(() =>
      found.value.filter(({ present, until }) => !present && Date.parse(until) > time.now),
    ),
    load,
  }
})
