/** A list in the order that the server gives, asked for anew when something in it has changed. */
import { computed, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef } from 'vue'

interface Page<Document> {
  items: Document[]
  next: string | null
}

interface Listed<Answer extends Page<unknown>> {
  items: ComputedRef<Answer['items']>
  /** What was answered last, with whatever it says beside its items. */
  answer: ShallowRef<Answer | null>
  state: Ref<'loading' | 'there' | 'failed'>
  more: ComputedRef<boolean>
  load(): Promise<void>
  loadMore(): Promise<void>
}

/**
 * What `fetch` answers to `question()`; asked again, as far as it was shown, when `changed()` is
 * another. Until another question is answered the list of the last one stays; it goes if there is
 * no answer, for it would stand under the wrong name.
 */
export function useListed<Answer extends Page<unknown>>(
  fetch: (cursor: string | null) => Promise<Answer>,
  question: () => string,
  changed: () => unknown,
): Listed<Answer> {
  const found: ShallowRef<Answer['items']> = shallowRef([])
  const answer: ShallowRef<Answer | null> = shallowRef(null)
  const state: Listed<Answer>['state'] = ref('loading')
  /** Of which question the list is. */
  let shown: string | null = null
  let asked = 0

  async function read(cursor: string | null, before: Answer['items'], enough: number): Promise<void> {
    asked += 1
    const mine = asked
    const wanted = question()
    try {
      const items = [...before]
      let page: Answer
      do {
        page = await fetch(cursor)
        if (mine !== asked) return
        items.push(...page.items)
        cursor = page.next
      } while (cursor !== null && items.length < enough)
      found.value = items
      answer.value = page
      state.value = 'there'
      shown = wanted
    } catch {
      if (mine !== asked || shown === wanted) return
      found.value = []
      answer.value = null
      state.value = 'failed'
      shown = null
    }
  }

  const load = (): Promise<void> =>
    read(null, [], shown === question() ? found.value.length : 0)

  watch([question, changed], () => void load(), { immediate: true })
  return {
    items: computed(() => found.value),
    answer,
    state,
    more: computed(() => (answer.value?.next ?? null) !== null),
    load,
    loadMore: () => read(answer.value?.next ?? null, found.value, 0),
  }
}
