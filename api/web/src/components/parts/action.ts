/** Something that a person asks of the server. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'

import { Failure, newKey, type Signing, type Write } from '@/client/api'
import { complaint } from '@/model/complaints'
import { useWords } from '@/words'

export interface Action {
  busy: Ref<boolean>
  /** Why it did not work, for the person who asked. */
  failure: Ref<string | null>
  /** What is wrong with which field, by the name it was sent under. */
  fields: ShallowRef<Readonly<Record<string, string>>>
  /**
   * Does it, and returns the answer; null: it failed, or is being done already. `signing`: who
   * signs it instead of who is logged in.
   */
  run<Result>(
    send: (write: Write) => Promise<Result>,
    signing?: Signing,
  ): Promise<Result | null>
  /** Forget why it did not work. */
  calm(): void
}

/**
 * Why something that was asked for was not done, in words: `words` are messages for a problem's
 * kind or status, before the usual ones under `failure`.
 */
export function useReasons(
  words: Readonly<Record<string, string>> = {},
): (error: unknown) => string {
  const { t, te } = useWords()
  return (error) => {
    const { kind, status } = error instanceof Failure ? error : { kind: '', status: 0 }
    const own = words[kind] ?? words[status]
    if (own !== undefined) return t(own)
    const usual = [`failure.${kind}`, `failure.${status}`].find((word) => te(word))
    return usual === undefined ? t('failure.other', { status }) : t(usual)
  }
}

/**
 * An action with its state. Until it has been answered, a second try carries the key of the
 * first, so that what was sent twice is done once. `words` as of `useReasons`.
 */
export function useAction(words: Readonly<Record<string, string>> = {}): Action {
  const { t } = useWords()
  const told = useReasons(words)
  const busy = ref(false)
  const failure = ref<string | null>(null)
  const fields: Action['fields'] = shallowRef({})
  let key = newKey()

  function inFields(error: unknown): Readonly<Record<string, string>> {
    if (!(error instanceof Failure)) return {}
    return Object.fromEntries(
      Object.entries(error.fields).map(([name, message]) => {
        const { word, n } = complaint(message)
        return [name, word === null ? message : t(`field.${word}`, { n })]
      }),
    )
  }

  function calm(): void {
    failure.value = null
    fields.value = {}
  }

  async function run<Result>(
    send: (write: Write) => Promise<Result>,
    signing?: Signing,
  ): Promise<Result | null> {
    if (busy.value) return null
    busy.value = true
    calm()
    try {
      const result = await send(signing === undefined ? { key } : { key, signing })
      key = newKey()
      return result
    } catch (error) {
      const status = error instanceof Failure ? error.status : 0
      if (status !== 0 && status < 500) key = newKey()
      failure.value = told(error)
      fields.value = inFields(error)
      return null
    } finally {
      busy.value = false
    }
  }

  return { busy, failure, fields, run, calm }
}
