/** The planned tests that are not over: whatever looks at alarms has to know of them. */
import { defineStore } from 'pinia'
import { computed, shallowRef, watch } from 'vue'

import { plannedTests } from '@/client/plannedTests'
import type { PlannedTest } from '@/client/types'
import { byTurn, isOver } from '@/model/plannedTests'
import { useLive } from './live'
import { useTime } from './time'

/** ms; a message may be missed. */
const AGAIN = 60_000
const MOST = 200

export const usePlannedTests = defineStore('plannedTests', () => {
  const live = useLive()
  const time = useTime()
  const open = shallowRef<PlannedTest[]>([])
  /** The one that changed last, as it is now. */
  const last = shallowRef<PlannedTest | null>(null)
  let asked = 0

  async function load(): Promise<void> {
    if (!live.ready) return
    asked += 1
    const mine = asked
    try {
      const { items } = await plannedTests.page(null, ['planned', 'running'], MOST)
      // What was taken meanwhile is newer.
      if (mine === asked) open.value = items
    } catch {
      // What was known stays; it is asked for again within a minute.
    }
  }

  /** Take a test as it is now. */
  function take(test: PlannedTest): void {
    asked += 1
    const others = open.value.filter(({ id }) => id !== test.id)
    open.value = isOver(test) ? others : [...others, test]
    last.value = test
  }

  watch([() => live.snapshots, () => Math.floor(time.pageNow / AGAIN)], () => void load(), {
    immediate: true,
  })
  watch(
    () => live.lastTest,
    async (changed) => {
      const found = changed && (await plannedTests.one(changed.id).catch(() => null))
      if (found) take(found)
      else void load()
    },
  )

  return {
    running: computed(() => open.value.filter(({ state }) => state === 'running').sort(byTurn)),
    last,
    take,
  }
})
