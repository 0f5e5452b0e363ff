/** Who is logged in, and what they may do. */
import { defineStore } from 'pinia'
import { computed, shallowRef, ref } from 'vue'

import { api, Failure } from '@/client/api'
import type { Me, Permission } from '@/client/types'

export const useSession = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  /** It was there and is over, without anybody logging out here. */
  const over = ref(false)

  /** Ask the server who this browser is; null: nobody. */
  async function recall(): Promise<Me | null> {
    try {
      me.value = await api.me()
    } catch (error) {
      if (!(error instanceof Failure && error.status === 401)) throw error
      me.value = null
    }
    return me.value
  }

  async function logIn(username: string, password: string): Promise<void> {
    await api.logIn(username, password)
    await recall()
    over.value = false
  }

  async function logOut(): Promise<void> {
    await api.logOut()
    me.value = null
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

  return { me, user: computed(() => me.value?.user ?? null), over, recall, logIn, logOut, forget, may }
})
