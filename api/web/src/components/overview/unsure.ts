/** Where something cannot be seen, no alarm does not mean that nothing is to be done. */
import { computed, type ComputedRef } from 'vue'

import { useLive } from '@/stores/live'

export function useUnsure(): ComputedRef<boolean> {
  const live = useLive()
  return computed(() => live.lost || live.ledger === 'down' || live.blind > 0)
}
