/** Something that a person asks of the server. */
import { ref, type Ref } from 'vue'

import { Failure, newKey } from '@/client/api'
import { useWords } from '@/words'

interface Action {
  busy: Ref<boolean>
  /** Why it did not work, for the person who asked. */
  failure: Ref<string | null>
  /** Does it, and returns the answer; null: it failed, or is being done already. */
  run<Result>(send: (key: string) => Promise<Result>): Promise<Result | null>
}

/**
 * An action with its state. Until it has been answered, a second try carries the key of the
 * first, so that what was sent twice is done once.
 */
export function useAction(): Action {
  const { t, te } = useWords()
  const busy = ref(false)
  const failure = ref<string | null>(null)
  let key = newKey()

  async function run<Result>(send: (key: string) => Promise<Result>): Promise<Result | null> {
    if (busy.value) return null
    busy.value = true
    failure.value = null
    try {
      const result = await send(key)
      key = newKey()
      return result
    } catch (error) {
      const status = error instanceof Failure ? error.status : 0
      if (status !== 0 && status < 500) key = newKey()
      failure.value = te(`failure.${status}`) ? t(`failure.${status}`) : t('failure.other', { status })
      return null
    } finally {
      busy.value = false
    }
  }

  return { busy, failure, run }
}
