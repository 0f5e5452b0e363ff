/** The one clock of the page: server time, ticking each second. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import { ServerClock } from '@/model/clock'

const TICK = 1000
/** ms by which the server's time may be another than was thought until the next tick. */
const NEARLY = 250

/**
 * ms on a count that never runs slow: `performance.now()` may stand still while the machine
 * sleeps, and then the wall clock has gone on.
 */
class PageTime {
  private readonly began = { steady: performance.now(), wall: Date.now() }

  now(): number {
    const steady = performance.now() - this.began.steady
    return Math.max(steady, Date.now() - this.began.wall)
  }
}

export const useTime = defineStore('time', () => {
  const page = new PageTime()
  const server = new ServerClock(Date.now() - page.now())
  const pageNow = ref(page.now())
  const now = ref(server.at(pageNow.value))

  function tick(): void {
    pageNow.value = page.now()
    now.value = server.at(pageNow.value)
  }

  /**
   * Take the server's own time from a message. It ticks only where the clock was wrong or has
   * stood: else all ages on the page would be drawn with each message, too.
   */
  function hear(iso: string): void {
    const at = page.now()
    const before = server.at(at)
    server.hear(Date.parse(iso), at)
    if (Math.abs(server.at(at) - before) > NEARLY || at - pageNow.value > TICK + NEARLY) tick()
  }

  setInterval(tick, TICK)
  document.addEventListener('visibilitychange', tick)

  return {
    /** Server time, ms since 1970. */
    now: computed(() => now.value),
    /** Steady time of the page, ms since it was opened. */
    pageNow: computed(() => pageNow.value),
    hear,
    pageTime: () => page.now(),
    /** Server time at this moment, between two ticks too. */
    serverTime: () => server.at(page.now()),
  }
})
