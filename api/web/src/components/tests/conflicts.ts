/** Why a test is not planned as it was asked for, in words. */
import { ref, type Ref } from 'vue'

import { Failure, type Write } from '@/client/api'
import { useAction, type Action } from '@/components/parts/action'
import { otherTest, refusedPlan } from '@/model/refusedPlans'
import { usePeople } from '@/stores/people'
import { useWords } from '@/words'

interface Planning extends Pick<Action, 'busy' | 'failure' | 'fields'> {
  run<Result>(send: (write: Write) => Promise<Result>): Promise<Result | null>
  /** Another test that has some of the equipment at that time, by its name; empty: none. */
  other: Ref<string>
  /** What the server says of a field, in words. */
  told(why: string): string
}

export function useConflicts(): Planning {
  const people = usePeople()
  const { t } = useWords()
  const { busy, failure, fields, run } = useAction({ 409: 'test.shared' })
  const other = ref('')

  function told(why: string): string {
    const found = refusedPlan(why)
    if (found === null) return why
    return t(`test.refused.${found.word}`, { name: people.nameOf(found.name) })
  }

  return {
    busy,
    failure,
    fields,
    other,
    told,
    async run(send) {
      other.value = ''
      return run(async (write) => {
        try {
          return await send(write)
        } catch (error) {
          if (error instanceof Failure && error.status === 409) other.value = otherTest(error.message)
          throw error
        }
      })
    },
  }
}
