/** The readings that a trend shows, asked for again as time goes on. */
import { onBeforeUnmount, ref, shallowRef, watch } from 'vue'

import { api } from '@/client/api'
import type { Point, Readings } from '@/client/types'
import { useTime } from '@/stores/time'
import type { Compared } from './compared'
import type { Window } from './window'

const BUCKETS = 300
/** Not oftener than this (ms), however narrow the buckets. */
const SHORTEST_WAIT = 5000

/** `chosen`: what beside the points decides what is asked for. */
export function useReadings(
  point: () => Point,
  compared: () => Compared | null,
  stretch: () => Window,
  chosen: () => string,
) {
  const time = useTime()
  const readings = shallowRef<Readings | null>(null)
  const beside = shallowRef<Readings | null>(null)
  const state = ref<'loading' | 'there' | 'failed'>('loading')
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false

  const asked = (): string => [point().id, compared()?.value, chosen()].join(' ')

  function ask([start, end]: Window, buckets: number): Promise<[Readings, Readings | null]> {
    const iso = (ms: number): string => new Date(ms).toISOString()
    const other = compared()
    const of = (id: string, back: number): Promise<Readings> =>
      api.readings(id, iso(start - back), iso(end - back), buckets)
    return Promise.all([of(point().id, 0), other && of(other.point.id, other.back)])
  }

  async function load(): Promise<void> {
    clearTimeout(timer)
    const wanted = asked()
    const still = (): boolean => !gone && wanted === asked()
    const [start, end] = stretch()
    try {
      const [found, other] = await ask([start, end], BUCKETS)
      if (!still()) return
      readings.value = found
      beside.value = other
      state.value = 'there'
    } catch {
      if (!still()) return
      if (readings.value === null) state.value = 'failed'
    }
    // Of what is past nothing changes any more.
    if (end < time.now - SHORTEST_WAIT) return
    timer = setTimeout(load, Math.max(SHORTEST_WAIT, (end - start) / BUCKETS))
  }

  // The picture of one point is none of the next.
  watch(
    () => point().id,
    () => {
      readings.value = null
      beside.value = null
      state.value = 'loading'
    },
  )
  // Else what is shown stays until the answer is there: nothing jumps.
  watch(asked, load, { immediate: true })
  onBeforeUnmount(() => {
    gone = true
    clearTimeout(timer)
  })

  return { readings, beside, state, load, ask, asked }
}
