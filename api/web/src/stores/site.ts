/** What is installed: the site and its equipment, as the server describes them. */
import { defineStore } from 'pinia'
import { computed, shallowRef, ref } from 'vue'

import { api } from '@/client/api'
import type { Equipment, Point, Site, Text } from '@/client/types'
import { systems } from '@/model/systems'
import { useTime } from './time'

export const useSite = defineStore('site', () => {
  const site = shallowRef<Site | null>(null)
  const equipment = shallowRef<Equipment[]>([])
  const failed = ref(false)

  async function load(): Promise<void> {
    try {
      const found = await api.site()
      useTime().hear(found.now)
      equipment.value = await everything()
      site.value = found
      failed.value = false
    } catch {
      failed.value = true
    }
  }

  async function everything(): Promise<Equipment[]> {
    const found: Equipment[] = []
    let cursor: string | null = null
    do {
      const page: { items: Equipment[]; next: string | null } = await api.equipment(cursor)
      found.push(...page.items)
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
    zone: computed(() => site.value?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone),
    load,
  }
})
