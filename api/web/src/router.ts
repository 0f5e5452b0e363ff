/** The pages, each loaded when it is first opened; all but the log-in ask who is there. */
import { createRouter, createWebHistory, type RouteLocationNormalized } from 'vue-router'

import { useLive } from './stores/live'
import { useSession } from './stores/session'

const pages = {
  login: () => import('./pages/LoginPage.vue'),
  overview: () => import('./pages/OverviewPage.vue'),
  alarms: () => import('./pages/AlarmsPage.vue'),
  orders: () => import('./pages/OrdersPage.vue'),
  equipmentList: () => import('./pages/EquipmentListPage.vue'),
  equipment: () => import('./pages/EquipmentPage.vue'),
  rounds: () => import('./pages/RoundsPage.vue'),
  round: () => import('./pages/RoundPage.vue'),
  roster: () => import('./pages/RosterPage.vue'),
  people: () => import('./pages/PeoplePage.vue'),
  tokens: () => import('./pages/TokensPage.vue'),
  audit: () => import('./pages/AuditPage.vue'),
  account: () => import('./pages/AccountPage.vue'),
  elsewhere: () => import('./pages/ElsewherePage.vue'),
}

/** Fetch every page beforehand, so that each can be opened when the server is away. */
export function fetchPages(): void {
  for (const page of Object.values(pages)) void page().catch(() => undefined)
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', name: 'login', component: pages.login },
    { path: '/', name: 'overview', component: pages.overview },
    { path: '/alarms/:id?', name: 'alarms', component: pages.alarms },
    { path: '/orders/:id?', name: 'orders', component: pages.orders },
    { path: '/equipment', name: 'equipment-list', component: pages.equipmentList },
    { path: '/equipment/:id', name: 'equipment', component: pages.equipment },
    { path: '/rounds/:part(week|month|all)?', name: 'rounds', component: pages.rounds },
    { path: '/rounds/:id', name: 'round', component: pages.round },
    { path: '/roster/:part(leave|teams|calendar)?', name: 'roster', component: pages.roster },
    { path: '/people/:username?', name: 'people', component: pages.people },
    { path: '/tokens', name: 'tokens', component: pages.tokens },
    { path: '/audit', name: 'audit', component: pages.audit },
    { path: '/account', name: 'account', component: pages.account },
    { path: '/:elsewhere(.*)*', name: 'elsewhere', component: pages.elsewhere },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

let asked = false

async function knownUser(): Promise<boolean> {
  const session = useSession()
  if (!asked) {
    try {
      await session.recall()
      asked = true
    } catch {
      // The server does not answer: whoever logs in will be told.
      return false
    }
  }
  return session.user !== null
}

router.beforeEach(async (to: RouteLocationNormalized) => {
  if (to.name === 'login') return true
  if (await knownUser()) return true
  return { name: 'login', query: { to: to.fullPath } }
})

// After an update the server no longer has the files that this page asks for: begin anew with it.
router.onError((_error, to) => {
  if (useLive().ready && !useLive().lost) location.assign(to.fullPath)
})
