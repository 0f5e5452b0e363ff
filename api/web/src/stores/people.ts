/** Everybody of the site by name, and what each role may do; loaded once somebody is logged in. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'

import { people as calls } from '@/client/people'
import type { Permission, Person, Role, RoleWord } from '@/client/types'

export const usePeople = defineStore('people', () => {
  const all = shallowRef<Person[]>([])
  const roles = shallowRef<Role[]>([])
  const state = ref<'loading' | 'there' | 'failed'>('loading')

  async function load(): Promise<void> {
    try {
      const [found, known] = await Promise.all([calls.all(null), calls.roles()])
      all.value = found.items
      roles.value = known.items
      state.value = 'there'
    } catch {
      if (state.value === 'loading') state.value = 'failed'
    }
  }

  /** Take what the API answered about one person. */
  function take(person: Person): void {
    all.value = [...all.value.filter(({ username }) => username !== person.username), person]
  }

  const byUsername = computed(() => new Map(all.value.map((one) => [one.username, one])))
  const byRole = computed(() => new Map(roles.value.map((one) => [one.role, one])))

  /** The name that people call somebody by; a machine or a stranger keeps the log-in name. */
  function nameOf(username: string | null | undefined): string {
    if (username === null || username === undefined) return ''
    return byUsername.value.get(username)?.display_name ?? username
  }

  /** Whether the role of `person` allows this, and in `area` if one is named. */
  function may(person: Person, permission: Permission, area?: string): boolean {
    if (!byRole.value.get(person.role)?.permissions.includes(permission)) return false
    return area === undefined || person.areas.length === 0 || person.areas.includes(area)
  }

  return {
    all,
    roles,
    state,
    byUsername,
    active: computed(() => all.value.filter(({ active }) => active)),
    nameOf,
    roleName: (role: RoleWord) => byRole.value.get(role)?.name,
    may,
    load,
    take,
  }
})
