/** Everything that changes by itself: alarms, orders, readings, and whether they can be trusted. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch } from 'vue'

import { Stream } from '@/client/stream'
import type { Alarm, Order, ProvisionalMessage, Reading } from '@/client/types'
import { seen } from '@/model/freshness'
import { byUrgency } from '@/model/ranking'
import { useSession } from './session'
import { useTime } from './time'

/** Without a word from the server for so long (ms), the page does not know any more. */
const SILENCE = 15_000
/** A line that has been mute for so long (ms) is opened anew, whatever the browser believes. */
const REOPEN = 25_000

export const useLive = defineStore('live', () => {
  const time = useTime()
  const session = useSession()

  const alarms = shallowReactive(new Map<string, Alarm>())
  const orders = shallowReactive(new Map<string, Order>())
  const readings = shallowReactive(new Map<string, Reading>())

  /** The last changed one, for what is open at the side of the stream. */
  const lastAlarm = shallowRef<Alarm | null>(null)
  const lastOrder = shallowRef<Order | null>(null)
  const lastRound = shallowRef<{ id: string } | null>(null)
  /** How often rounds and roster were told to have changed. */
  const changes = shallowReactive({ round: 0, roster: 0 })
  /** How often everything was sent anew. */
  const snapshots = ref(0)
  /** Whether a snapshot came that could not say what is in the ledger. */
  const begun = ref(false)

  /** `down`: what comes up is shown, and is in the ledger when that is back. */
  const ledger = ref<ProvisionalMessage['ledger']>('ok')

  const broken = ref(false)
  /** Page time and server time of the last word from the server, ms. */
  const heardAt = ref(time.pageTime())
  const heardAtServer = ref<number | null>(null)
  /** When the newest value of all came in, ms since 1970. */
  const dataAt = ref<number | null>(null)

  function heard(now: string | null): void {
    if (now !== null) time.hear(now)
    broken.value = false
    heardAt.value = time.pageTime()
    heardAtServer.value = time.now
  }

  function takeReadings(changed: Record<string, Reading>): void {
    for (const [point, reading] of Object.entries(changed)) {
      readings.set(point, reading)
      // A device that does not answer is heard of too, but that is no data.
      const { at } = seen(reading, time.now)
      if (at !== null) dataAt.value = Math.max(dataAt.value ?? 0, at)
    }
  }

  function takeAlarm(alarm: Alarm): void {
    if (alarm.state === 'closed') alarms.delete(alarm.id)
    else alarms.set(alarm.id, alarm)
    lastAlarm.value = alarm
  }

  function takeOrder(order: Order): void {
    if (order.state === 'closed') orders.delete(order.id)
    else orders.set(order.id, order)
    lastOrder.value = order
  }

  /** `wanted` are all there are; one that is in the ledger by now stays as that has it. */
  function takeProvisional(wanted: Alarm[]): void {
    const named = new Set(wanted.map(({ id }) => id))
    for (const alarm of alarms.values()) {
      if (alarm.provisional && !named.has(alarm.id)) alarms.delete(alarm.id)
    }
    for (const alarm of wanted) {
      if (alarms.get(alarm.id)?.provisional !== false) takeAlarm(alarm)
    }
  }

  /** Take what the API answered, where the stream cannot bring it; else it would be older news. */
  function takeAnswer(answer: { alarm?: Alarm; order?: Order }): void {
    if (!lost.value) return
    if (answer.alarm !== undefined) takeAlarm(answer.alarm)
    if (answer.order !== undefined) takeOrder(answer.order)
  }

  const stream = new Stream({
    snapshot(message) {
      heard(message.now)
      readings.clear()
      takeReadings(message.readings)
      ledger.value = message.ledger
      if (message.seq === null) {
        // Of what is in the ledger nothing is known: what is on the page stays.
        takeProvisional(message.alarms)
        begun.value = true
        return
      }
      alarms.clear()
      orders.clear()
      for (const alarm of message.alarms) alarms.set(alarm.id, alarm)
      for (const order of message.orders) orders.set(order.id, order)
      snapshots.value += 1
    },
    alarm(message) {
      heard(null)
      takeAlarm(message.alarm)
    },
    order(message) {
      heard(null)
      takeOrder(message.order)
    },
    provisional(message) {
      heard(null)
      ledger.value = message.ledger
      takeProvisional(message.alarms)
    },
    changed(message) {
      heard(null)
      changes[message.kind] += 1
      if (message.kind === 'round') lastRound.value = { id: message.subject }
    },
    readings(message) {
      heard(message.now)
      takeReadings(message.readings)
    },
    heartbeat(message) {
      heard(message.now)
    },
    broken() {
      broken.value = true
      // A session that is over ends the stream; the answer 401 leads to the log-in.
      void session.recall().catch(() => undefined)
    },
  })

  let opened = time.pageTime()
  function open(): void {
    opened = time.pageTime()
    heardAt.value = opened
    stream.open()
  }

  function close(): void {
    stream.close()
    alarms.clear()
    orders.clear()
    readings.clear()
    snapshots.value = 0
    begun.value = false
    ledger.value = 'ok'
    broken.value = false
    heardAtServer.value = null
    dataAt.value = null
  }

  const silence = computed(() => Math.max(0, time.pageNow - heardAt.value))
  const lost = computed(() => broken.value || silence.value > SILENCE)
  const ready = computed(() => snapshots.value > 0 || begun.value)

  watch(silence, (mute) => {
    const since = time.pageTime() - opened
    if (session.user !== null && mute > REOPEN && since > REOPEN) {
      opened = time.pageTime()
      stream.open()
    }
  })

  return {
    alarms,
    orders,
    readings,
    lastAlarm,
    lastOrder,
    lastRound,
    changes,
    snapshots,
    ledger,
    /** Nothing was ever heard yet. */
    ready,
    /** What is shown is of the past. */
    lost,
    /** Server time of the last word, ms; null: there was none. */
    heardAt: heardAtServer,
    dataAt,
    /** ms since the newest value came in; null: there was none. */
    dataAge: computed(() =>
      dataAt.value === null ? null : Math.max(0, time.now - dataAt.value),
    ),
    /** Open alarms, the one that matters now first. */
    urgent: computed(() => [...alarms.values()].sort(byUrgency)),
    /** Orders not closed: the critical ones first, then by when they are due. */
    due: computed(() =>
      [...orders.values()].sort(
        (one, other) =>
          Number(one.state === 'completed') - Number(other.state === 'completed') ||
          Number(other.priority === 'critical') - Number(one.priority === 'critical') ||
          Date.parse(one.clock.due_at) - Date.parse(other.clock.due_at),
      ),
    ),
    /** What is shown of a point now. */
    seen: (point: string) => seen(readings.get(point), time.now),
    takeAnswer,
    open,
    close,
  }
})
