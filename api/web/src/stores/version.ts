/** Whether the server was brought up to date since this page began. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

import { newerEntry } from '@/client/version'
import { useLive } from './live'

export const useVersion = defineStore('version', () => {
  const live = useLive()
  const outdated = ref(false)

  // A server that comes back may be a new one; it goes on where the stream was, and says nothing of it.
  watch(
    () => live.lost,
    async (lost) => {
      if (!lost) outdated.value ||= (await newerEntry()) !== null
    },
  )

  return {
    /** This page is of the server's last version: the next place that is gone to begins anew. */
    outdated,
  }
})
