/** The places of the page that the navigation leads to, for who is logged in. */
import { computed, type ComputedRef } from 'vue'
import { useRoute } from 'vue-router'

import { isRunning } from '@/model/orders'
import { worstPresent } from '@/model/ranking'
import { useLive } from '@/stores/live'
import { useSession } from '@/stores/session'
import { useSite } from '@/stores/site'
import type { IconName } from './NavIcon.vue'

export interface Place {
  name: IconName &
    (
      | 'overview'
      | 'alarms'
      | 'orders'
      | 'requests'
      | 'rounds'
      | 'plans'
      | 'equipment'
      | 'roster'
      | 'shift'
      | 'rules'
      | 'notices'
      | 'links'
      | 'people'
      | 'audit'
      | 'demo'
    )
  to: string
  here: boolean
  count: number
  tone: string
}

interface Places {
  duty: ComputedRef<Place[]>
  /** What stands behind the day's work; more of it for those who answer for others. */
  administration: ComputedRef<Place[]>
}

export function usePlaces(): Places {
  const route = useRoute()
  const live = useLive()
  const session = useSession()
  const site = useSite()

  function place(name: Place['name'], to: string, count = 0, tone = ''): Place {
    const here = to === '/' ? route.path === '/' : route.path.startsWith(to)
    return { name, to, here, count, tone }
  }

  return {
    duty: computed(() => [
      place('overview', '/'),
      place('alarms', '/alarms', live.urgent.length, worstPresent(live.urgent) ?? 'returned'),
      place('orders', '/orders', live.due.filter(isRunning).length, 'calm'),
      ...(session.may('order.create')
        ? [{ ...place('requests', '/requests/new'), here: route.path.startsWith('/requests/') }]
        : []),
      {
        ...place('rounds', '/rounds'),
        here: ['/rounds', '/findings', '/coverage', '/regimes', '/offline'].some((to) => route.path.startsWith(to)),
      },
      place('plans', '/plans'),
      {
        ...place('equipment', '/equipment'),
        here: route.path.startsWith('/equipment') || route.path.startsWith('/register'),
      },
      {
        ...place('shift', '/shift'),
        here: route.path.startsWith('/shift') || route.path.startsWith('/handover'),
      },
      place('roster', '/roster'),
    ]),
    administration: computed(() => {
      const edits = session.may('people.edit')
      const audits = session.may('audit.view')
      const people = { ...place('people', '/people') }
      people.here ||= route.path.startsWith('/tokens')
      const links = { ...place('links', '/links') }
      links.here ||= route.path.startsWith('/profiles')
      const demo =
        site.site?.demo_faults && session.may('demo.fault') ? [place('demo', '/demo')] : []
      const notices = session.may('notices.view') ? [place('notices', '/notices')] : []
      return [place('rules', '/rules'), ...notices, links, ...(edits || audits ? [people] : []), ...(audits ? [place('audit', '/audit')] : []), ...demo]
    }),
  }
}
