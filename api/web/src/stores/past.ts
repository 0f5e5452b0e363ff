/** The newest alarms and orders, closed ones too, kept true by the stream. */
import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'

import { api } from '@/client/api'
import { orders as calls } from '@/client/orders'
import type { Alarm, Order } from '@/client/types'
import { useLive } from './live'

/** So many of each, the newest. */
const MOST = 200

function withNews<Document extends { id: string }>(
  known: readonly Document[],
  news: Document,
): Document[] {
  return [news, ...known.filter(({ id }) => id !== news.id)].slice(0, MOST)
}

export const usePast = defineStore('past', () => {
  const live = useLive()
  const alarms = shallowRef<Alarm[]>([])
  const orders = shallowRef<Order[]>([])
  const state = ref<'loading' | 'there' | 'failed'>('loading')

  async function load(): Promise<void> {
    if (!live.ready) return
    try {
      const [alarmPage, orderPage] = await Promise.all([
        api.alarms(null, MOST),
        calls.page(null, { state: ['all'] }, MOST),
      ])
      alarms.value = alarmPage.items
      orders.value = orderPage.items
      state.value = 'there'
    } catch {
      state.value = 'failed'
    }
  }

  watch(() => live.snapshots, load, { immediate: true })
  watch(
    () => live.lastAlarm,
    (alarm) => {
      if (alarm !== null) alarms.value = withNews(alarms.value, alarm)
    },
  )
  watch(
    () => live.lastOrder,
    (order) => {
      if (order !== null) orders.value = withNews(orders.value, order)
    },
  )

  return { alarms, orders, state, load }
})
