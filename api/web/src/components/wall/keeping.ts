/** A page that nobody sits at keeps itself awake, whole and new. */
import { onBeforeUnmount, onMounted, watch } from 'vue'

import { newerEntry } from '@/client/version'
import { useLive } from '@/stores/live'
import { usePast } from '@/stores/past'
import { usePeople } from '@/stores/people'
import { useSite } from '@/stores/site'

/** ms; what could not be loaded is asked for again. */
const AGAIN = 20_000
/** ms between two looks for a new version. */
const VERSION = 300_000
const RELOADED = 'dutyroom.reloaded'

/** The screen does not go dark; only over HTTPS and on localhost can a page ask for that. */
function useAwake(): void {
  let held: WakeLockSentinel | null = null
  async function hold(): Promise<void> {
    if (document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
    // Refused (by a battery that is low): the next time it comes to the front.
    held = await navigator.wakeLock.request('screen').catch(() => null)
  }
  onMounted(() => {
    void hold()
    document.addEventListener('visibilitychange', hold)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', hold)
    void held?.release()
  })
}

/** Begins anew where the server has another page by now: once for each that it has. */
async function renew(): Promise<void> {
  const newest = await newerEntry()
  if (newest === null || sessionStorage.getItem(RELOADED) === newest) return
  sessionStorage.setItem(RELOADED, newest)
  location.reload()
}

export function useKeeping(): void {
  const live = useLive()
  const past = usePast()
  const people = usePeople()
  const site = useSite()
  useAwake()

  function whole(): void {
    if (!live.ready || live.lost) return
    if (site.failed) void site.load()
    if (past.state === 'failed') void past.load()
    if (people.state === 'failed') void people.load()
  }
  const timers = [setInterval(whole, AGAIN), setInterval(() => void renew(), VERSION)]
  onBeforeUnmount(() => timers.forEach(clearInterval))
  // A server that comes back may be a new one.
  watch(
    () => live.lost,
    (lost) => {
      if (!lost) void renew()
    },
  )
}
