/**
 * The phone in a technician's hand: what was fetched for them, what they have written, and what
 * of it has not arrived yet.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { Failure, newKey } from '@/client/api'
import { serverFor, today as fetchToday, type Tagged } from '@/client/offline'
import type { OfflineOrder, OfflineRound, OfflineToday } from '@/client/types'
import { alone } from '@/phone/alone'
import { Calling } from '@/phone/calling'
import type { Fetched, Keeper } from '@/phone/keeper'
import { news, phoneOrder, type PhoneOrder } from '@/phone/merge'
import { count, shown, type Entry, type Photo } from '@/phone/queue'
import { Sender } from '@/phone/sender'
import { openKeeper } from '@/phone/shelf'
import { ageOf, EVERY, isCleared, standing } from '@/phone/standing'
import { keep, recalled } from './kept'
import { tellUnsent, unsentOf } from './phoneTally'
import { useWriting, type Hand } from './phoneWriting'
import { useSession } from './session'
import { useTime } from './time'

const DEVICE = 'dutyroom.phone.device'

export const usePhone = defineStore('phone', () => {
  const session = useSession()
  const time = useTime()

  const person = ref<string | null>(null)
  const fetched = shallowRef<Fetched<Tagged> | null>(null)
  const entries = shallowRef<Entry[]>([])
  const photos = shallowRef<Photo[]>([])
  /** Unsent ones of other people who use this phone. */
  const others = ref(0)
  /** Whether the server was reached at the last try; null: it was not tried yet. */
  const reached = ref<boolean | null>(navigator.onLine ? null : false)
  const busy = ref(false)
  /** The server does not know this phone as `person` any more: they have to log in again. */
  const stranger = ref(false)
  /** The server was reached and could not take what was sent: its status; null: it could. */
  const held = ref<number | null>(null)
  /** So many unsent ones of `person` the browser has cleared away. */
  const cleared = ref(0)
  /** Whether what is written outlasts the page; null: not known yet. */
  const lasts = ref<boolean | null>(null)
  /** Whether the browser has promised not to clear it away; null: it was not asked. */
  const persisted = ref<boolean | null>(null)
  const newOrders = shallowRef<OfflineOrder[]>([])
  /** Counts up whenever the phone is to sound. */
  const rung = ref(0)

  let keeper: Keeper | null = null
  let sender: Sender | null = null
  let unwatch = (): void => undefined
  let begun: Promise<void> | null = null
  /** The page's own count when it fetched what is of `at`. */
  let came: { at: number; page: number } | null = null
  const hand: Hand = {
    by: () => person.value,
    keeper: () => keeper,
    entries: () => entries.value,
    changed: look,
    send: () => void calling.now(),
  }
  const { trouble, complain, ...writing } = useWriting(hand)
  const calling = new Calling(call, () => (age() ?? Infinity) > EVERY)

  /** Of what was fetched, ms; null: nothing was, or it cannot be told. */
  function age(): number | null {
    const at = fetched.value?.at
    if (at === undefined) return null
    const page = came?.at === at ? came.page : null
    return ageOf({ wall: at, page }, { wall: Date.now(), page: time.pageTime() })
  }

  function device(): string {
    const known = recalled(DEVICE) ?? `phone-${newKey().slice(0, 8)}`
    keep(DEVICE, known)
    return known
  }

  /** Begin for `username`, or go on for them. */
  async function open(username: string): Promise<void> {
    if (person.value === username) return
    await (begun ??= begin())
    unwatch()
    empty()
    person.value = username
    newOrders.value = []
    stranger.value = false
    held.value = null
    cleared.value = 0
    await look()
    unwatch = keeper?.watch(() => void look()) ?? unwatch
    void calling.now()
  }

  function close(): void {
    unwatch()
    person.value = null
    empty()
  }

  /** Nothing of one person is in the hand of the next. */
  function empty(): void {
    fetched.value = null
    entries.value = []
    photos.value = []
  }

  /** Somebody leaves: what was fetched for them goes, what they have not sent stays. */
  async function forget(): Promise<void> {
    const by = person.value
    close()
    if (by !== null) await keeper?.forget(by).catch(() => undefined)
  }

  async function begin(): Promise<void> {
    keeper = await openKeeper()
    sender = new Sender(keeper, serverFor(device()))
    lasts.value = keeper.lasts
    // Some browsers ask a person first: nothing waits for that.
    void navigator.storage?.persist?.().then(
      (granted) => (persisted.value = granted),
      () => undefined,
    )
    addEventListener('offline', () => (reached.value = false))
    calling.begin()
  }

  /** What is kept, as it is now. */
  async function look(): Promise<void> {
    const by = person.value
    if (keeper === null || by === null) return
    try {
      const [wrote, took, kept, strangers] = await Promise.all([
        keeper.entries(by),
        keeper.photos(by),
        keeper.fetched<Tagged>(by),
        keeper.others(by),
      ])
      if (by !== person.value) return
      entries.value = wrote
      photos.value = took
      others.value = strangers
      if (kept !== null) fetched.value = kept
      tellTally(by, kept !== null)
    } catch {
      trouble.value = 'unkept'
    }
  }

  function tellTally(by: string, has: boolean): void {
    if (keeper?.lasts !== true) return
    const found = { kept: entries.value.length + photos.value.length, fetched: has }
    if (isCleared(unsentOf(by), found)) cleared.value = unsentOf(by)
    const waiting = count(entries.value, photos.value)
    tellUnsent(by, waiting.entries + waiting.photos)
  }

  /** Send what waits, then fetch what is new; whether all of it went well. */
  async function call(): Promise<boolean> {
    const by = person.value
    if (by === null) return true
    busy.value = true
    try {
      return await alone(() => callAs(by))
    } finally {
      busy.value = false
    }
  }

  async function callAs(by: string): Promise<boolean> {
    // Without signal nothing is sent into the void: what has not gone out can still be exchanged.
    if (reached.value === false && !(await fetchAll(by))) return false
    const passed = (await sender?.pass(by)) ?? 'empty'
    if (by !== person.value) return true
    stranger.value = passed === 'stranger'
    const status = sender?.status ?? null
    held.value = passed === 'later' && status !== null && status > 0 ? status : null
    const found = await fetchAll(by)
    if (by === person.value) reached.value = found && status !== 0
    await look()
    return found && passed !== 'later'
  }

  async function fetchAll(by: string): Promise<boolean> {
    try {
      const before = fetched.value?.document ?? null
      const found = await fetchToday(before)
      if (by !== person.value) return true
      if (found.today.person.username !== by) {
        // Somebody else has logged in, in another tab of this browser.
        await session.recall()
        return true
      }
      time.hear(found.today.made_at)
      told(before?.today ?? null, found.today, by)
      came = { at: Date.now(), page: time.pageTime() }
      fetched.value = { by, at: came.at, document: found }
      stranger.value = false
      await keepFetched(fetched.value)
      return true
    } catch (error) {
      const status = error instanceof Failure ? error.status : 0
      if (status === 401) stranger.value = true
      return status === 401 || status === 403
    }
  }

  async function keepFetched(all: Fetched<Tagged>): Promise<void> {
    const old = shown([...entries.value, ...photos.value], all.document.today.made_at)
    try {
      await keeper?.fetch(all)
      if (old.length > 0) await keeper?.drop(old)
    } catch (error) {
      complain(error)
    }
  }

  function told(before: OfflineToday | null, after: OfflineToday, by: string): void {
    if (before === null) return
    const found = news(before.orders, after.orders, by)
    if (found.length === 0) return
    newOrders.value = found
    rung.value += 1
  }

  const today = computed<OfflineToday | null>(() => fetched.value?.document.today ?? null)
  const orders = computed<PhoneOrder[]>(() => {
    const whole = new Map(fetched.value?.document.whole.map((one) => [one.id, one] as const))
    return (today.value?.orders ?? []).map((one) => phoneOrder(one, whole.get(one.id)))
  })

  return {
    person,
    entries,
    photos,
    others,
    busy,
    stranger,
    trouble,
    held,
    cleared,
    lasts,
    persisted,
    newOrders,
    rung,
    document: today,
    standing: computed(() => {
      // The phone's own clock, looked at each second.
      void time.pageNow
      return standing(fetched.value !== null, age(), reached.value)
    }),
    /** Of what was fetched; null: it cannot be told. */
    age: computed(() => {
      void time.pageNow
      return age()
    }),
    unsent: computed(() => count(entries.value, photos.value)),
    round: (id: string): OfflineRound | null =>
      today.value?.rounds.find((one) => one.id === id) ?? null,
    orders,
    order: (id: string): PhoneOrder | null => orders.value.find((one) => one.id === id) ?? null,
    open,
    close,
    forget,
    refresh: () => calling.now(),
    front: () => calling.front(),
    ...writing,
    seen: () => (newOrders.value = []),
    calm: () => (trouble.value = null),
    noted: () => (cleared.value = 0),
  }
})
