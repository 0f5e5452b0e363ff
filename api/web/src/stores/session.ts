/** Who is logged in, and what they may do. */
import { defineStore } from 'pinia'
import { computed, shallowRef, ref } from 'vue'

import { api, Failure } from '@/client/api'
import type { Me, Permission } from '@/client/types'
import { keep, recalled } from './kept'

/** Somebody has left here, and the server does not know it yet. */
const LEFT = 'dutyroom.left'
/** Who a phone is while the server cannot be asked, see stores/phoneIdentity; nobody after a log-out. */
export const KNOWN_AS = 'dutyroom.phone.me'

/** Whether `kept` is what was kept of `username`. */
function isOf(kept: string, username: string): boolean {
  try {
    return (JSON.parse(kept) as Me).user.username === username
  } catch {
    return false
  }
}

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  /** It was there and is over, without anybody logging out here. */
  const over = ref(false)

  /** Ask the server who this browser is; null: nobody. */
  async function recall(): Promise<Me | null> {
    try {
      await finishLeaving()
      me.value = await api.me()
      forgetOther(me.value)
    } catch (error) {
      // 403: this browser is a screen on a wall, and nobody is logged in.
      if (!(error instanceof Failure && [401, 403].includes(error.status))) throw error
      me.value = null
    }
    return me.value
  }

  /** Without signal this phone is not somebody who has not logged out while another one logged in. */
  function forgetOther({ user }: Me): void {
    const known = recalled(KNOWN_AS)
    if (known !== null && !isOf(known, user.username)) keep(KNOWN_AS, null)
  }

  async function logIn(username: string, password: string): Promise<void> {
    await api.logIn(username, password)
    keep(LEFT, null)
    await recall()
    over.value = false
  }

  async function logOut(): Promise<void> {
    await api.logOut()
    keep(KNOWN_AS, null)
    me.value = null
  }

  /** Log out; without signal the server hears of it before anything else is asked of it. */
  async function leave(): Promise<void> {
    keep(LEFT, 'yes')
    keep(KNOWN_AS, null)
    me.value = null
    await finishLeaving().catch(() => undefined)
  }

  async function finishLeaving(): Promise<void> {
    if (recalled(LEFT) === null) return
    try {
      await api.logOut()
    } catch (error) {
      // An answer 401: it knows already.
      if (!(error instanceof Failure && error.status === 401)) throw error
    }
    keep(LEFT, null)
  }

  /** Without the server: who this browser was when it was last asked, see stores/phoneIdentity; nobody, if they have left. */
  function assume(kept: Me): void {
    if (recalled(LEFT) === null) me.value ??= kept
  }

  function forget(): void {
    me.value = null
    over.value = true
  }

  /** Whether who is logged in may do this, and in `area` if one is named. */
  function may(permission: Permission, area?: string): boolean {
    if (me.value === null || !me.value.permissions.includes(permission)) return false
    const { areas } = me.value
    return area === undefined || areas.length === 0 || areas.includes(area)
  }

  return {
    me,
    user: computed(() => me.value?.user ?? null),
    over,
    recall,
    assume,
    logIn,
    logOut,
    leave,
    forget,
    may,
  }
})
