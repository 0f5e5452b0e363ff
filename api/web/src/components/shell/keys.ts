/** Keys that work on every page: a figure for each place of the navigation, `/` for the search, and `?`
 * for the sheet. */
import { nextTick, onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { useRouter } from 'vue-router'

import { isForPage } from '@/components/parts/typing'
import { usePlaces } from './places'

/** Whether the sheet of keys is open. */
export function useShellKeys(): Ref<boolean> {
  const router = useRouter()
  const { duty } = usePlaces()
  const open = ref(false)

  /** The search of the page, or else that of the equipment. */
  async function find(): Promise<void> {
    const field = (): HTMLElement | null => document.querySelector('main input[type=search]')
    if (field() === null) await router.push('/equipment')
    await nextTick()
    field()?.focus()
  }

  function pressed(event: KeyboardEvent): void {
    if (!isForPage(event)) return
    if (event.key === '?' || event.key === '？') {
      open.value = true
      return
    }
    if (event.key === '/') {
      event.preventDefault()
      void find()
      return
    }
    const place = /^[1-9]$/.test(event.key) ? duty.value[Number(event.key) - 1] : undefined
    if (place !== undefined) void router.push(place.to)
  }

  onMounted(() => window.addEventListener('keydown', pressed))
  onBeforeUnmount(() => window.removeEventListener('keydown', pressed))
  return open
}
