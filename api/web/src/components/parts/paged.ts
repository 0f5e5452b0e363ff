/** Everything of a kind, page by page from the newest, kept true by the stream. */
import { computed, ref, shallowReactive, watch, type ComputedRef, type Ref } from 'vue'

import { useLive } from '@/stores/live'

interface Page<Document> {
  items: Document[]
  next: string | null
}

interface Paged<Document> {
  items: ComputedRef<Document[]>
  state: Ref<'loading' | 'there' | 'failed'>
  more: ComputedRef<boolean>
  begin(): Promise<void>
  loadMore(): Promise<void>
}

/** `newest` orders two documents; `changed()` is the last one that the stream brought. */
export function usePaged<Document extends { id: string }>(
  fetch: (cursor: string | null) => Promise<Page<Document>>,
  newest: (one: Document, other: Document) => number,
  changed: () => Document | null,
): Paged<Document> {
  const live = useLive()
  const found = shallowReactive(new Map<string, Document>())
  const next = ref<string | null>(null)
  const state: Paged<Document>['state'] = ref('loading')
  /** How often it was begun anew: an answer from before is of another question. */
  let begun = 0

  async function load(cursor: string | null): Promise<void> {
    const mine = begun
    try {
      const page = await fetch(cursor)
      if (mine !== begun) return
      for (const item of page.items) found.set(item.id, item)
      next.value = page.next
      state.value = 'there'
    } catch {
      if (mine === begun) state.value = 'failed'
    }
  }

  async function begin(): Promise<void> {
    begun += 1
    found.clear()
    state.value = 'loading'
    await load(null)
  }

  watch(changed, (document) => {
    if (document !== null && state.value === 'there') found.set(document.id, document)
  })
  watch(
    () => live.snapshots,
    () => void load(null),
  )

  return {
    items: computed(() => [...found.values()].sort(newest)),
    state,
    more: computed(() => next.value !== null),
    begin,
    loadMore: () => load(next.value),
  }
}
