/** What is due at the site today, kept true by the stream. */
import { rounds } from '@/client/rounds'
import type { RoundSummary } from '@/client/types'
import { useLoaded, type Loaded } from '@/components/parts/loaded'
import { useLive } from '@/stores/live'
import { useWords } from '@/words'

/** What opens today, and whatever is open or waits for a countersignature; of every level. */
export function useToday(): Loaded<RoundSummary[]> {
  const live = useLive()
  const { day } = useWords()
  return useLoaded(
    () => rounds.all({}),
    () => `${live.changes.round}.${live.snapshots}.${day()}`,
  )
}
