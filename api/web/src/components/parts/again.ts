/** What grows old on the page without anybody saying so, such as a sentence with a time in it. */
import { watch } from 'vue'

import { useTime } from '@/stores/time'

/** Calls `load` every `often` ms, as long as somebody looks and it is `wanted`. */
export function useAgain(often: number, wanted: () => boolean, load: () => Promise<void>): void {
  const time = useTime()
  watch(
    () => Math.floor(time.now / often),
    () => {
      if (!document.hidden && wanted()) void load()
    },
  )
}
