/** A document without an id of its own, loaded again whenever what it hangs on changes. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

import { Failure } from '@/client/api'

export interface Loaded<Document> {
  document: ShallowRef<Document | null>
  state: Ref<'loading' | 'there' | 'forbidden' | 'failed'>
  load(): Promise<void>
}

/**
 * What `fetch` answers; fetched again when `changed()` is another. What is on the screen stays
 * there until the new is known.
 */
export function useLoaded<Document>(
  fetch: () => Promise<Document>,
  changed: () => unknown,
): Loaded<Document> {
  const document: ShallowRef<Document | null> = shallowRef(null)
  const state: Loaded<Document>['state'] = ref('loading')
  let asked = 0

  async function load(): Promise<void> {
    asked += 1
    const mine = asked
    try {
      const found = await fetch()
      if (mine !== asked) return
      document.value = found
      state.value = 'there'
    } catch (error) {
      if (mine !== asked) return
      const forbidden = error instanceof Failure && error.status === 403
      if (forbidden) state.value = 'forbidden'
      else if (document.value === null) state.value = 'failed'
    }
  }

  watch(changed, () => void load(), { immediate: true })
  return { document, state, load }
}
