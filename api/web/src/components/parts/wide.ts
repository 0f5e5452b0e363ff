/** How wide the page is, for what is another thing on a phone and not only laid out otherwise. */
import { onBeforeUnmount, ref, type Ref } from 'vue'

/** Whether the page is at least `pixels` wide, as long as whoever asks is shown. */
export function useWidth(pixels: number): Ref<boolean> {
  const query = matchMedia(`(min-width: ${pixels}px)`)
  const wide = ref(query.matches)
  const look = (): void => {
    wide.value = query.matches
  }
  query.addEventListener('change', look)
  onBeforeUnmount(() => query.removeEventListener('change', look))
  return wide
}
