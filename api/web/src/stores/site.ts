/** What is installed: the site and its equipment, as the server describes them. */
import { defineStore } from 'pinia'
import { computed, shallowRef, ref } from 'vue'

import { api } from '@/client/api'
import type { Equipment, Point, Site, Text } from '@/client/types'
import { withMeaning } from '@/model/contacts'
import { systems } from '@/model/systems'
import { useTime } from './time'

export const useSite = defineStore('site', () => {
  const site = shallowRef<Site | null>(null)
  const equipment = shallowRef<Equipment[]>([])
  const failed = ref(false)
  const heard = ref(Intl.DateTimeFormat().resolvedOptions().timeZone)

  async function load(): Promise<void> {
    try {
      const [found, things] = await Promise.all([api.site(), everything()])
      useTime().hear(found.now)
      equipment.value = things
      site.value = found
      failed.value = false
    } catch {
      failed.value = true
    }
  }

  /** Without the server: the site as it was known before. */
  function assume(kept: Site): void {
    site.value ??= kept
  }

  async function everything(): Promise<Equipment[]> {
    const found: Equipment[] = []
    let cursor: string | null = null
    do {
      const page: { items: Equipment[]; next: string | null } = await api.equipment(cursor)
      found.push(...page.items.map(withMeaning))
      cursor = page.next
    } while (cursor !== null)
    return found
  }

  const byId = computed(() => new Map(equipment.value.map((thing) => [thing.id, thing])))
  const points = computed(
    () =>
      new Map<string, Point>(
        equipment.value.flatMap((thing) => thing.points.map((point) => [point.id, point] as const)),
      ),
  )
  const areas = computed(
    () => new Map<string, Text>(site.value?.areas.map(({ id, name }) => [id, name] as const)),
  )

  return {
    site,
    equipment,
    /** It could not be loaded. */
    failed,
    byId,
    points,
    areas,
    systems: computed(() => systems(equipment.value)),
    zone: computed(() => site.value?.timezone ?? heard.value),
    /** Where nobody logs in, the site is not known, and its times of day are. */
    hearZone: (zone: string) => (heard.value = zone),
    load,
    assume,
  }
})
