/** One document with its history, kept true by the stream. */
import { ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'

import { Failure } from '@/client/api'
import { useLive } from '@/stores/live'

interface Followed<Document> {
  document: ShallowRef<Document | null>
  state: Ref<'loading' | 'there' | 'missing' | 'failed'>
  load(): Promise<void>
  /** Take what a write was answered with. */
  take(answer: Document): void
}

/**
 * The document `id()` as `fetch` gives it; fetched again when `changed()` names it and when the
 * stream begins anew.
 */
export function useFollowed<Document extends { id: string }>(
  id: () => string,
  fetch: (id: string) => Promise<Document>,
  changed: () => { id: string } | null,
): Followed<Document> {
  const live = useLive()
  const document: ShallowRef<Document | null> = shallowRef(null)
  const state: Followed<Document>['state'] = ref('loading')
  let asked = 0
  let answered = 0

  /** Of several that are under way only the last one counts. */
  async function load(): Promise<void> {
    const wanted = id()
    asked += 1
    const mine = asked
    try {
      const found = await fetch(wanted)
      if (wanted !== id() || mine !== asked) return
      answered = mine
      document.value = found
      state.value = 'there'
    } catch (error) {
      if (wanted !== id() || mine !== asked) return
      answered = mine
      const missing = error instanceof Failure && error.status === 404
      // What is on the screen stays there: it is true of the past, and the bar says so.
      if (document.value === null || missing) state.value = missing ? 'missing' : 'failed'
    }
  }

  function take(answer: Document): void {
    if (answer.id !== id()) return
    document.value = answer
    state.value = 'there'
    // What is under way may be older than this, or newer.
    if (answered !== asked) void load()
  }

  watch(
    id,
    () => {
      document.value = null
      state.value = 'loading'
      void load()
    },
    { immediate: true },
  )
  watch(changed, (what) => {
    if (what?.id === id()) void load()
  })
  watch(
    () => live.snapshots,
    () => void load(),
  )

  return { document, state, load, take }
}
