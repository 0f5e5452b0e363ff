/** Whether the phone keeps the page itself, and whether a newer one waits. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

import { takeFresh, type WorkerListener } from '@/client/worker'

export const useInstalled = defineStore('installed', () => {
  const kept = ref(false)
  const newer = ref(false)
  const why = ref<Parameters<WorkerListener['impossible']>[0] | null>(null)

  return {
    /** It opens without signal. */
    kept,
    /** A newer version is here, and waits until it is asked for. */
    newer,
    /** Why it does not open without signal; null: it does, or it is not known yet. */
    why,
    ready: () => (kept.value = true),
    fresh: () => (newer.value = true),
    impossible: (reason: NonNullable<typeof why.value>) => (why.value = reason),
    take: takeFresh,
  }
})
