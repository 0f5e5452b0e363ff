/** The places of the page that the navigation leads to, for who is logged in. */
import { computed, type ComputedRef } from 'vue'
import { useRoute } from 'vue-router'

import { worstPresent } from '@/model/ranking'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'
import type { IconName } from './NavIcon.vue'

export interface Place {
  name: IconName &
    ('overview' | 'alarms' | 'orders' | 'rounds' | 'equipment' | 'roster' | 'people' | 'audit')
  to: string
  here: boolean
  count: number
  tone: string
}

interface Places {
  duty: ComputedRef<Place[]>
  /** What is there for those who answer for others; empty for the rest. */
  administration: ComputedRef<Place[]>
}

function isOpen(order: { state: string }): boolean {
  return order.state === 'open' || order.state === 'accepted'
}

export function usePlaces(): Places {
  const route = useRoute()
  const live = useLive()
  const session = useSession()

  function place(name: Place['name'], to: string, count = 0, tone = ''): Place {
    const here = to === '/' ? route.path === '/' : route.path.startsWith(to)
    return { name, to, here, count, tone }
  }

  return {
    duty: computed(() => [
      place('overview', '/'),
      place('alarms', '/alarms', live.alarms.size, worstPresent(live.urgent) ?? 'returned'),
      place('orders', '/orders', live.due.filter(isOpen).length, 'calm'),
      place('rounds', '/rounds'),
      place('equipment', '/equipment'),
      place('roster', '/roster'),
    ]),
    administration: computed(() => {
      const edits = session.may('people.edit')
      const audits = session.may('audit.view')
      const people = { ...place('people', '/people') }
      people.here ||= route.path.startsWith('/tokens')
      return [...(edits || audits ? [people] : []), ...(audits ? [place('audit', '/audit')] : [])]
    }),
  }
}
