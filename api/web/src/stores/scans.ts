/** The code that was scanned last for a round, which goes along with its answers. */
import { defineStore } from 'pinia'
import { shallowReactive } from 'vue'

import type { RoundEntryNew, RoundItem } from '@/client/types'
import { useTime } from './time'

export type Scan = NonNullable<RoundEntryNew['scan']>

/** After so long (ms) whoever scanned it may be somewhere else: it is to be scanned again. */
const HOLDS = 15 * 60_000

export const useScans = defineStore('scans', () => {
  const time = useTime()
  /** By the page's own count: the clock, which a scan is told by, may be set in between. */
  const held = shallowReactive(new Map<string, { code: string; page: number }>())

  /** What was scanned for `round` and still counts. */
  function of(round: string): Scan | null {
    const found = held.get(round)
    if (found === undefined) return null
    const age = time.pageNow - found.page
    if (age >= HOLDS) return null
    return { code: found.code, at: new Date(time.now - Math.max(0, age)).toISOString() }
  }

  return {
    of,
    hold: (round: string, code: string): void => {
      held.set(round, { code, page: time.pageTime() })
    },
    drop: (round: string): void => void held.delete(round),
    /** What goes with an answer to `item`: the scan, where the item asks for one. */
    forLine: (round: string, item: Pick<RoundItem, 'evidence'>): Scan | null =>
      item.evidence.includes('qr') ? of(round) : null,
  }
})
