/** What is due at the site today, kept true by the stream. */
import { rounds } from '@/client/rounds'
import type { RoundSummary } from '@/client/types'
import { useLoaded, type Loaded } from '@/components/parts/loaded'
import { useLive } from '@/stores/live'
import { useTime } from '@/stores/time'
import { useWords } from '@/words'

/** ms; whatever was missed is known by then. */
const AGAIN = 600_000

/** What opens today, and whatever is open or waits for a countersignature; of every level. */
export function useToday(): Loaded<RoundSummary[]> {
  const live = useLive()
  const time = useTime()
  const { day } = useWords()
  return useLoaded(
    () => rounds.all({}),
    () => `${live.changes.round}.${live.snapshots}.${day()}.${Math.floor(time.pageNow / AGAIN)}`,
  )
}
