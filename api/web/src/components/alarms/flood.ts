/** Whether the alarms come too fast to be read one by one. */
import { computed, ref, watch, type ComputedRef, type Ref } from 'vue'

import { flooded, recent } from '@/model/alarms'
import { useLive } from '@/stores/live'
import { useTime } from '@/stores/time'

interface Flood {
  is: Ref<boolean>
  /** Raised in the last ten minutes. */
  count: ComputedRef<number>
}

export function useFlood(): Flood {
  const live = useLive()
  const time = useTime()
  const count = computed(() => recent(live.urgent, time.now))
  const is = ref(false)
  watch(
    count,
    (found) => {
      is.value = flooded(is.value, found)
    },
    { immediate: true },
  )
  return { is, count }
}
