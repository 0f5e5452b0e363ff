/** Who looks at this page: somebody who is logged in, or a screen on a wall. */
import { defineStore } from 'pinia'
import { computed } from 'vue'

import { useScreen } from './screen'
import { useSession } from './session'

export const useViewer = defineStore('viewer', () => {
  const screen = useScreen()
  const session = useSession()

  /** Empty: nobody, and nothing is asked of the server. */
  const who = computed(() =>
    screen.own === null ? (session.user?.username ?? '') : `screen ${screen.own.name}`,
  )

  return {
    who,
    isThere: computed(() => who.value !== ''),
    /** Ask the server whether they still are; throws where it does not answer. */
    recall: async (): Promise<void> => {
      if (screen.own === null) await session.recall()
      else await screen.recall()
    },
  }
})
