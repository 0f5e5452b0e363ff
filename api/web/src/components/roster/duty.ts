/** Who is on duty now and who comes after, kept true by the stream and by the clock. */
import { onMounted, onUnmounted, ref } from 'vue'

import { roster } from '@/client/roster'
import { useLoaded, type Loaded } from '@/components/parts/loaded'
import { useLive } from '@/stores/live'

/** ms; a shift ends without a word from the server. */
const AGAIN = 60_000

type Duty = Awaited<ReturnType<typeof roster.duty>>

export function useDuty(): Loaded<Duty> {
  const live = useLive()
  const minute = ref(0)
  let timer = 0
  onMounted(() => {
    timer = window.setInterval(() => (minute.value += 1), AGAIN)
  })
  onUnmounted(() => window.clearInterval(timer))
  return useLoaded(
    roster.duty,
    () => `${live.changes.roster}.${live.snapshots}.${minute.value}`,
  )
}
