/** Answers to items of rounds that the server has not confirmed yet, kept until it has. */
import { defineStore } from 'pinia'
import { shallowReactive, shallowRef, watch } from 'vue'

import { Failure, newKey } from '@/client/api'
import { rounds } from '@/client/rounds'
import type { Round, RoundEntryNew } from '@/client/types'
import { useLive } from './live'
import { useSession } from './session'
import { useTime } from './time'

/** What a person answers. */
export type Answer = Pick<RoundEntryNew, 'value' | 'passed' | 'note'> &
  Partial<Pick<RoundEntryNew, 'scan'>>

export interface Unsent {
  round: string
  item: string
  /** Who answered: nobody else sends it. */
  by: string
  /** With its id, under which the server takes it once, however often it is sent. */
  entry: RoundEntryNew
  state: 'waiting' | 'sending' | 'failed'
}

function place(round: string, item: string): string {
  return `${round} ${item}`
}

/** Whether the server may have taken it, or may take it later. */
function isUnsure(error: unknown): boolean {
  if (!(error instanceof Failure)) return true
  return [0, 401, 429].includes(error.status) || error.status >= 500
}

export const useEntries = defineStore('entries', () => {
  const live = useLive()
  const session = useSession()
  const time = useTime()

  const unsent = shallowReactive(new Map<string, Unsent>())
  /** Why the server did not take the last answer to an item. */
  const refused = shallowReactive(new Map<string, unknown>())
  /** The round as it was after the last answer that was taken. */
  const answered = shallowRef<Round | null>(null)
  let sending = false

  function mine(one: Unsent): boolean {
    return one.by === session.user?.username
  }

  /** Answer an item; a later answer takes the place of one that is still to be sent. */
  function give(round: string, item: string, answer: Answer): void {
    const by = session.user?.username
    if (by === undefined) return
    const entry = { ...answer, entry: newKey(), taken_at: new Date(time.now).toISOString() }
    refused.delete(place(round, item))
    unsent.set(place(round, item), { round, item, by, entry, state: 'waiting' })
    void send()
  }

  /** Send again what did not arrive. */
  function again(): void {
    for (const [key, one] of unsent) {
      if (one.state === 'failed') unsent.set(key, { ...one, state: 'waiting' })
    }
    void send()
  }

  /** One after the other, in the order in which they were given. */
  async function send(): Promise<void> {
    if (sending) return
    sending = true
    for (;;) {
      const next = [...unsent.values()].find((one) => one.state === 'waiting' && mine(one))
      if (next === undefined) break
      await deliver(next)
    }
    sending = false
  }

  async function deliver(one: Unsent): Promise<void> {
    const key = place(one.round, one.item)
    const isLast = (): boolean => unsent.get(key)?.entry.entry === one.entry.entry
    unsent.set(key, { ...one, state: 'sending' })
    try {
      answered.value = await rounds.enter(one.round, one.item, one.entry)
      if (isLast()) unsent.delete(key)
    } catch (error) {
      if (!isLast()) return
      if (isUnsure(error)) {
        unsent.set(key, { ...one, state: 'failed' })
      } else {
        unsent.delete(key)
        refused.set(key, error)
      }
    }
  }

  watch(() => live.snapshots, again)
  window.addEventListener('online', again)

  return {
    answered,
    give,
    again,
    of: (round: string, item: string): Unsent | null => {
      const found = unsent.get(place(round, item))
      return found !== undefined && mine(found) ? found : null
    },
    /** Those of a round that were not delivered, and those under way. */
    ofRound: (round: string): Unsent[] =>
      [...unsent.values()].filter((one) => one.round === round && mine(one)),
    refusal: (round: string, item: string): unknown => refused.get(place(round, item)) ?? null,
  }
})
