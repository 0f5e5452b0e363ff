/** The guided look at a demonstration: who has seen it in this browser, and whether it is on. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'

import { keep, recalled } from './kept'
import { useLive } from './live'
import { useSession } from './session'
import { useSite } from './site'

/** User names with spaces between them; a `*`: nobody is shown it unasked. */
const SEEN = 'dutyroom.tour'

export const useTour = defineStore('tour', () => {
  const live = useLive()
  const session = useSession()
  const site = useSite()

  const on = ref(false)
  const names = () => new Set((recalled(SEEN) ?? '').split(' ').filter(Boolean))
  const critical = computed(() => live.urgent.some(({ priority }) => priority === 'critical'))

  /** Whether to show it unasked: somebody's first visit, in a calm moment. */
  function isDue(): boolean {
    const username = session.user?.username
    if (username === undefined || site.site?.simulated !== true) return false
    const seen = names()
    return live.ready && !critical.value && !seen.has('*') && !seen.has(username)
  }

  function begin(): void {
    on.value = !critical.value
  }

  /** It was gone through, or skipped. */
  function seen(): void {
    on.value = false
    const username = session.user?.username
    if (username !== undefined) keep(SEEN, [...names().add(username)].join(' '))
  }

  // Nothing may lie over it. It counts as not seen, and is shown in a calmer moment.
  watch(critical, (is) => {
    if (is) on.value = false
  })

  return { on, critical, isDue, begin, seen }
})
