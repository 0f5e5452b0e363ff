/** Everything that changes by itself: alarms, orders, readings, and whether they can be trusted. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch } from 'vue'

import { Stream } from '@/client/stream'
import type {
  Alarm,
  ChangedMessage,
  Order,
  ProvisionalMessage,
  Quality,
  Reading,
} from '@/client/types'
import { ASIDE, isAside, type Aside } from '@/model/alarms'
import { isPast, qualitiesAt, seen, wholly } from '@/model/freshness'
import { byNeed, isOver } from '@/model/orders'
import { ranked } from '@/model/ranking'
import { useTime } from './time'
import { useViewer } from './viewer'

/** Without a word from the server for so long (ms), the page does not know any more. */
const SILENCE = 15_000
/** A line that has been mute for so long (ms) is opened anew, whatever the browser believes. */
const REOPEN = 25_000

export const useLive = defineStore('live', () => {
  const time = useTime()
  const viewer = useViewer()

  const alarms = shallowReactive(new Map<string, Alarm>())
  const orders = shallowReactive(new Map<string, Order>())
  const readings = shallowReactive(new Map<string, Reading>())

  /** The last changed one, for what is open at the side of the stream. */
  const lastAlarm = shallowRef<Alarm | null>(null)
  const lastOrder = shallowRef<Order | null>(null)
  const lastRound = shallowRef<{ id: string } | null>(null)
  const lastTest = shallowRef<{ id: string } | null>(null)
  const lastPlan = shallowRef<{ id: string } | null>(null)
  /** How often each was told to have changed. */
  const changes = shallowReactive<Record<ChangedMessage['kind'], number>>({
    round: 0,
    roster: 0,
    planned_test: 0,
    aside: 0,
    shift: 0,
    register: 0,
    plan: 0,
  })
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
    heardAtServer.value = time.serverTime()
  }

  function takeReadings(changed: Iterable<readonly [string, Reading]>): void {
    let newest = dataAt.value
    for (const [point, reading] of changed) {
      readings.set(point, reading)
      // A device that does not answer is heard of too, but that is no data.
      const { at } = seen(reading, time.now)
      if (at !== null) newest = Math.max(newest ?? 0, at)
    }
    dataAt.value = newest
  }

  function takeAlarm(alarm: Alarm): void {
    if (alarm.state === 'closed') alarms.delete(alarm.id)
    else alarms.set(alarm.id, alarm)
    lastAlarm.value = alarm
  }

  function takeOrder(order: Order): void {
    if (isOver(order)) orders.delete(order.id)
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
      if (message.kind === 'plan') lastPlan.value = { id: message.subject }
      if (message.kind === 'planned_test') lastTest.value = { id: message.subject }
    },
    readings(message) {
      heard(message.now)
      if (message.every) readings.clear()
      takeReadings(Object.entries(message.readings))
      for (const good of message.good) takeReadings(wholly(good))
    },
    heartbeat(message) {
      heard(message.now)
    },
    broken() {
      broken.value = true
      // A session that is over ends the stream; the answer 401 leads to the log-in.
      void viewer.recall().catch(() => undefined)
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
  const inOrder = computed(() => ranked(alarms.values()))
  const ready = computed(() => snapshots.value > 0 || begun.value)
  /** Of every point that was heard of; another map only when one of them has changed. */
  const qualities = computed<ReadonlyMap<string, Quality>>((before) =>
    qualitiesAt(readings, time.now, before ?? new Map()),
  )

  watch(silence, (mute) => {
    const since = time.pageTime() - opened
    if (viewer.isThere && mute > REOPEN && since > REOPEN) {
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
    lastTest,
    lastPlan,
    changes,
    snapshots,
    ledger,
    /** Nothing was ever heard yet. */
    ready,
    /** What is shown is of the past. */
    lost,
    /** ms without a word from the server. */
    silence,
    /** Server time of the last word, ms; null: there was none. */
    heardAt: heardAtServer,
    dataAt,
    /** ms since the newest value came in; null: there was none. */
    dataAge: computed(() =>
      dataAt.value === null ? null : Math.max(0, time.now - dataAt.value),
    ),
    /** Alarms that people have to see, the one that matters now first. */
    urgent: computed(() => inOrder.value.filter(({ state }) => !isAside(state))),
    /** What is there and calls nobody, by why that is. */
    aside: computed(
      () =>
        Object.fromEntries(
          ASIDE.map((why) => [why, inOrder.value.filter(({ state }) => state === why)]),
        ) as Record<Aside, Alarm[]>,
    ),
    /** Orders that are not over, what needs somebody first. */
    due: computed(() => [...orders.values()].sort(byNeed)),
    // These two are asked for thousands of points a second: as functions, Pinia would make actions
    // of them, which cost ten times what they do.
    /** What is shown of a point now. */
    seen: computed(() => (point: string) => seen(readings.get(point), time.now)),
    /** How far it can be trusted now; whoever asks is not told of values and ages. */
    quality: computed(() => (point: string): Quality => qualities.value.get(point) ?? 'bad'),
    /** Points of which only the past is known. */
    blind: computed(() => [...qualities.value.values()].filter(isPast).length),
    takeAnswer,
    open,
    close,
  }
})
