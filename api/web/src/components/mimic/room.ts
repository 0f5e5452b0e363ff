/** How much room a picture has: px wide, followed as the window changes. */
import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

import type { Size } from './seen'

/** px; a drawing for more room than there is would have words too small to read. */
export const NARROW = 560
const MEDIUM = 820

export function sizeOf(room: number): Size {
  if (room < NARROW) return 'narrow'
  return room < MEDIUM ? 'medium' : 'wide'
}

/** The width of `frame`, which is a `MEDIUM` one until it is on the page. */
export function useRoom(frame: Readonly<Ref<HTMLElement | null>>): Ref<number> {
  const room = ref(MEDIUM)
  const observer = new ResizeObserver(([entry]) => {
    room.value = entry?.contentRect.width ?? MEDIUM
  })
  onMounted(() => frame.value && observer.observe(frame.value))
  onBeforeUnmount(() => observer.disconnect())
  return room
}
