/** How many conflicts of phones wait for a decision of who is logged in. */
import { ref, watch, type Ref } from 'vue'

import { conflicts } from '@/client/conflicts'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'

/** 0 for who decides nothing. */
export function useWaiting(): Ref<number> {
  const live = useLive()
  const session = useSession()
  const waiting = ref(0)

  async function load(): Promise<void> {
    if (!session.may('offline.resolve')) return
    try {
      waiting.value = (await conflicts.page('open', null, 1)).waiting
    } catch {
      // The page itself says what cannot be read.
    }
  }

  watch(
    [() => live.changes.round, () => live.snapshots],
    () => void load(),
    { immediate: true },
  )
  return waiting
}
