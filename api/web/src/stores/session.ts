/** Who is logged in. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

import { api, Failure } from '@/client/api'
import type { User } from '@/client/types'

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  /** It was there and is over, without anybody logging out here. */
  const over = ref(false)

  /** Ask the server who this browser is; null: nobody. */
  async function recall(): Promise<User | null> {
    try {
      user.value = (await api.me()).user
    } catch (error) {
      if (!(error instanceof Failure && error.status === 401)) throw error
      user.value = null
    }
    return user.value
  }

  async function logIn(username: string, password: string): Promise<void> {
    user.value = (await api.logIn(username, password)).user
    over.value = false
  }

  async function logOut(): Promise<void> {
    await api.logOut()
    user.value = null
  }

  function forget(): void {
    user.value = null
    over.value = true
  }

  return { user, over, recall, logIn, logOut, forget }
})
