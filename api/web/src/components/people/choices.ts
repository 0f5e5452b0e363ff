/** People, roles and areas to choose from, in words. */
import { computed, type ComputedRef } from 'vue'

import type { Person, RoleWord } from '@/client/types'
import { usePeople } from '@/stores/people'
import { useSite } from '@/stores/site'
import { useWords } from '@/words'

interface Choice<Value extends string = string> {
  value: Value
  label: string
  note?: string
}

interface Choices {
  /** People with the word for their role. */
  peopleWho(wanted: (person: Person) => boolean): Choice[]
  /** Whoever works here. */
  staff: ComputedRef<Choice[]>
  roles: ComputedRef<Choice<RoleWord>[]>
  areas: ComputedRef<Choice[]>
}

export function useChoices(): Choices {
  const people = usePeople()
  const site = useSite()
  const { text } = useWords()

  const peopleWho = (wanted: (person: Person) => boolean): Choice[] =>
    people.all.filter(wanted).map(({ username, display_name, role }) => ({
      value: username,
      label: display_name,
      note: text(people.roleName(role)),
    }))

  return {
    peopleWho,
    staff: computed(() => peopleWho(({ active, contractor }) => active && !contractor)),
    roles: computed(() =>
      people.roles.map(({ role, name }) => ({ value: role, label: text(name) })),
    ),
    areas: computed(() =>
      (site.site?.areas ?? []).map(({ id, name }) => ({ value: id, label: text(name) })),
    ),
  }
}
