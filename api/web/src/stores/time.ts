/** The one clock of the page: server time, ticking each second. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

import { ServerClock } from '@/model/clock'

const TICK = 1000

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

  /** Take the server's own time from a message. */
  function hear(iso: string): void {
    server.hear(Date.parse(iso), page.now())
    tick()
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
  }
})
