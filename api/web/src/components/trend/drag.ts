/** Drawing a stretch over a chart with the mouse or a pen; a finger moves the page. */
import { ref, type Ref } from 'vue'

/** px that a pointer may move and still only press. */
const STILL = 6

/** From where to where, px from the left of the frame. */
export interface Drag {
  from: number
  to: number
}

export function useDrag(
  frame: Readonly<Ref<HTMLElement | null>>,
  drawn: (from: number, to: number) => void,
) {
  /** Null: nobody draws. */
  const drag = ref<Drag | null>(null)

  function place({ clientX }: PointerEvent): number {
    return clientX - (frame.value?.getBoundingClientRect().left ?? 0)
  }

  function press(event: PointerEvent): void {
    if (event.pointerType === 'touch' || event.button !== 0) return
    frame.value?.setPointerCapture(event.pointerId)
    drag.value = { from: place(event), to: place(event) }
  }

  function pull(event: PointerEvent): void {
    if (drag.value !== null) drag.value = { ...drag.value, to: place(event) }
  }

  function release(): void {
    const over = drag.value
    drag.value = null
    if (over !== null && Math.abs(over.to - over.from) >= STILL) drawn(over.from, over.to)
  }

  return { drag, press, pull, release }
}
