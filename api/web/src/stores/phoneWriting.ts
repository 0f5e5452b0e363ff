/** What a person writes down on the phone: kept at once, sent when it can be. */
import { ref } from 'vue'

import { newKey } from '@/client/api'
import { compressed, thumbnail, wrongWith } from '@/model/pictures'
import type { Keeper } from '@/phone/keeper'
import { replaceable, untriedTick, type Entry, type Photo } from '@/phone/queue'

/** Why something that was written, or a picture, could not even be kept on the phone. */
export type Trouble = 'full' | 'unkept' | 'large' | 'unreadable'

/** The phone in somebody's hand. */
export interface Hand {
  by(): string | null
  keeper(): Keeper | null
  entries(): readonly Entry[]
  /** What is kept is another. */
  changed(): Promise<void>
  send(): void
}

export function useWriting(hand: Hand) {
  const trouble = ref<Trouble | null>(null)

  function complain(error: unknown): void {
    const { name = '', inner } = error as { name?: string; inner?: { name?: string } }
    trouble.value = [name, inner?.name].includes('QuotaExceededError') ? 'full' : 'unkept'
  }

  /** What everything that is written begins with. */
  function made(by: string): Pick<Entry & Photo, 'id' | 'by' | 'entered_at' | 'state' | 'received_at' | 'said'> {
    const entered_at = new Date().toISOString()
    return { id: newKey(), by, entered_at, state: 'waiting', received_at: null, said: null }
  }

  /** Write something down, and send it when it can be. False: it could not be kept, and is not. */
  async function write(
    what: Pick<Entry, 'kind' | 'subject' | 'item' | 'version' | 'body'>,
  ): Promise<boolean> {
    const [by, keeper] = [hand.by(), hand.keeper()]
    if (keeper === null || by === null) return false
    // Not afterwards: meanwhile something else may have come to nothing.
    trouble.value = null
    try {
      const entry = { ...what, ...made(by), tried: false }
      await keeper.add(entry, replaceable(hand.entries(), what)?.id ?? null)
    } catch (error) {
      complain(error)
      return false
    }
    await hand.changed()
    hand.send()
    return true
  }

  /** Keep a photograph, made small, and send it when it can be. */
  async function photograph(
    file: Blob,
    about: Pick<Photo, 'of' | 'subject' | 'item' | 'version'>,
  ): Promise<boolean> {
    const [by, keeper] = [hand.by(), hand.keeper()]
    if (keeper === null || by === null) return false
    // Not afterwards: meanwhile something else may have come to nothing.
    trouble.value = null
    try {
      const small = await compressed(file)
      // Here the lens is still before it; in an hour, when the server would say so, it is not.
      const wrong = await wrongWith(small)
      if (wrong !== null) {
        trouble.value = wrong
        return false
      }
      const thumb = await thumbnail(small)
      const photo: Photo = { ...about, ...made(by), size: small.size, thumb }
      await keeper.addPhoto(photo, small)
    } catch (error) {
      complain(error)
      return false
    }
    await hand.changed()
    hand.send()
    return true
  }

  /** A step of an order is ticked, or is not after all; a tick that has not gone out is taken back. */
  async function tick(order: string, version: string, step: number, done: boolean): Promise<boolean> {
    const own = done ? null : untriedTick(hand.entries(), order, step)
    if (own !== null && (await hand.keeper()?.takeBack(own.id).catch(() => false))) {
      await hand.changed()
      return true
    }
    return write({ kind: 'order_tick', subject: order, item: null, version, body: { step, done } })
  }

  /** A person has seen why it was not taken. */
  async function dismiss(id: string): Promise<void> {
    await hand.keeper()?.drop([id])
    await hand.changed()
  }

  return { trouble, complain, write, photograph, tick, dismiss }
}
