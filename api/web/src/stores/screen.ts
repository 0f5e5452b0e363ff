/** Whether this browser is a screen on a wall, which nobody is logged in on. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'

import { Failure } from '@/client/api'
import { screens } from '@/client/screens'
import type { OwnScreen } from '@/client/types'

/**
 * `asking`: not known yet. `open`: it is one. `nobody`: it is none. `linkOver`: its link was used or
 * is too old. `revoked`: it was one until now.
 */
type State = 'asking' | 'open' | 'nobody' | 'linkOver' | 'revoked'

export const useScreen = defineStore('screen', () => {
  const own = shallowRef<OwnScreen | null>(null)
  const state = ref<State>('asking')

  /** Ask the server; throws where it does not answer. */
  async function recall(): Promise<void> {
    try {
      own.value = await screens.own()
      state.value = 'open'
    } catch (error) {
      // 403: somebody is logged in, and they come first.
      if (!(error instanceof Failure && [401, 403].includes(error.status))) throw error
      end()
    }
  }

  /** Become the screen of a link, or remain the one that this is; throws as `recall`. */
  async function enter(key: string): Promise<void> {
    let over = false
    try {
      await screens.open(key)
    } catch (error) {
      if (!(error instanceof Failure && [403, 422].includes(error.status))) throw error
      over = true
    }
    await recall()
    if (over && state.value === 'nobody') state.value = 'linkOver'
  }

  /** It is one no more; told a second time, that changes nothing. */
  function end(): void {
    if (own.value !== null) state.value = 'revoked'
    else if (state.value === 'asking') state.value = 'nobody'
    own.value = null
  }

  return { own, state, recall, enter, end }
})
