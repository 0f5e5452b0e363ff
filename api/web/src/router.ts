/**
 * The pages, each loaded when it is first opened; all but the log-in and what is `open` to
 * everybody ask who is there.
 */
import {
  createRouter,
  createWebHistory,
  START_LOCATION,
  type RouteLocationNormalized,
} from 'vue-router'

import { useLive } from './stores/live'
import { recallOnPhone } from './stores/phoneIdentity'
import { useSession } from './stores/session'
import { useVersion } from './stores/version'

/** The technician's phone: its own frame and pages, which a service worker keeps, see vite.config.ts. */
const phone = {
  shell: () => import('./pages/phone/PhoneShell.vue'),
  orders: () => import('./pages/phone/PhoneOrders.vue'),
  order: () => import('./pages/phone/PhoneOrder.vue'),
  rounds: () => import('./pages/phone/PhoneRounds.vue'),
  round: () => import('./pages/phone/PhoneRound.vue'),
  scan: () => import('./pages/phone/PhoneScan.vue'),
  me: () => import('./pages/phone/PhoneMe.vue'),
}

const pages = {
  login: () => import('./pages/LoginPage.vue'),
  overview: () => import('./pages/OverviewPage.vue'),
  wall: () => import('./pages/WallPage.vue'),
  alarms: () => import('./pages/AlarmsPage.vue'),
  plannedTests: () => import('./pages/PlannedTestsPage.vue'),
  alarmLoad: () => import('./pages/AlarmLoadPage.vue'),
  orders: () => import('./pages/OrdersPage.vue'),
  orderFigures: () => import('./pages/OrderFiguresPage.vue'),
  equipmentList: () => import('./pages/EquipmentListPage.vue'),
  system: () => import('./pages/SystemPage.vue'),
  equipment: () => import('./pages/EquipmentPage.vue'),
  register: () => import('./pages/RegisterPage.vue'),
  rounds: () => import('./pages/RoundsPage.vue'),
  plans: () => import('./pages/PlansPage.vue'),
  round: () => import('./pages/RoundPage.vue'),
  regimes: () => import('./pages/RegimesPage.vue'),
  findings: () => import('./pages/FindingsPage.vue'),
  coverage: () => import('./pages/CoveragePage.vue'),
  offline: () => import('./pages/OfflinePage.vue'),
  roster: () => import('./pages/RosterPage.vue'),
  shift: () => import('./pages/ShiftPage.vue'),
  handover: () => import('./pages/HandoverPage.vue'),
  people: () => import('./pages/PeoplePage.vue'),
  links: () => import('./pages/LinksPage.vue'),
  demo: () => import('./pages/DemoPage.vue'),
  profiles: () => import('./pages/ProfilesPage.vue'),
  tokens: () => import('./pages/TokensPage.vue'),
  audit: () => import('./pages/AuditPage.vue'),
  account: () => import('./pages/AccountPage.vue'),
  rules: () => import('./pages/RulesPage.vue'),
  notices: () => import('./pages/NoticesPage.vue'),
  requestNew: () => import('./pages/RequestNewPage.vue'),
  placeCodes: () => import('./pages/PlaceCodesPage.vue'),
  requestPublic: () => import('./pages/RequestPublicPage.vue'),
  contractor: () => import('./pages/ContractorPage.vue'),
  elsewhere: () => import('./pages/ElsewherePage.vue'),
}

/** Fetch every page beforehand, so that each can be opened when the server is away. */
export function fetchPages(): void {
  for (const page of Object.values(pages)) void page().catch(() => undefined)
}

/** Fetch the phone's pages beforehand: the first time there may be no service worker yet. */
export function fetchPhonePages(): void {
  for (const page of Object.values(phone)) void page().catch(() => undefined)
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/login', name: 'login', component: pages.login },
    { path: '/', name: 'overview', component: pages.overview },
    { path: '/wall', name: 'wall', component: pages.wall, meta: { open: true } },
    { path: '/alarms/load', name: 'alarm-load', component: pages.alarmLoad },
    { path: '/alarms/tests/:id?', name: 'planned-tests', component: pages.plannedTests },
    { path: '/alarms/:id?', name: 'alarms', component: pages.alarms },
    { path: '/orders/figures', name: 'order-figures', component: pages.orderFigures },
    { path: '/orders/:id?', name: 'orders', component: pages.orders },
    { path: '/equipment', name: 'equipment-list', component: pages.equipmentList },
    { path: '/equipment/system/:system', name: 'system', component: pages.system },
    { path: '/equipment/:id/:part(register)?', name: 'equipment', component: pages.equipment },
    { path: '/register', name: 'register', component: pages.register },
    // What the code on a label says.
    { path: '/e/:id', redirect: (to) => `/equipment/${encodeURIComponent(String(to.params['id']))}` },
    { path: '/rounds/:part(week|month|all)?', name: 'rounds', component: pages.rounds },
    { path: '/rounds/:id', name: 'round', component: pages.round },
    { path: '/regimes/:id?', name: 'regimes', component: pages.regimes },
    { path: '/findings', name: 'findings', component: pages.findings },
    { path: '/coverage', name: 'coverage', component: pages.coverage },
    { path: '/offline/conflicts', name: 'offline', component: pages.offline },
    { path: '/plans/:part(year|all)?', name: 'plans', component: pages.plans },
    { path: '/plans/due/:due', name: 'plan-due', component: pages.plans },
    { path: '/plans/of/:plan', name: 'plan', component: pages.plans },
    { path: '/roster/:part(leave|teams|calendar)?', name: 'roster', component: pages.roster },
    { path: '/shift/:id?', name: 'shift', component: pages.shift },
    { path: '/handover/:id?', name: 'handover', component: pages.handover },
    { path: '/links', name: 'links', component: pages.links },
    { path: '/demo', name: 'demo', component: pages.demo },
    { path: '/profiles/:id?', name: 'profiles', component: pages.profiles },
    { path: '/people/:username?', name: 'people', component: pages.people },
    { path: '/tokens', name: 'tokens', component: pages.tokens },
    { path: '/audit', name: 'audit', component: pages.audit },
    { path: '/account', name: 'account', component: pages.account },
    { path: '/rules/:id?', name: 'rules', component: pages.rules },
    { path: '/notices', name: 'notices', component: pages.notices },
    { path: '/requests/new', name: 'request-new', component: pages.requestNew },
    { path: '/requests/codes', name: 'place-codes', component: pages.placeCodes },
    { path: '/r/:code', name: 'request-public', component: pages.requestPublic, meta: { open: true } },
    { path: '/c/:token', name: 'contractor', component: pages.contractor, meta: { open: true } },
    { path: '/m/login', name: 'phone-login', component: pages.login, meta: { open: true, phone: true } },
    {
      path: '/m',
      component: phone.shell,
      meta: { phone: true },
      children: [
        { path: '', name: 'phone-orders', component: phone.orders },
        { path: 'orders/:id', name: 'phone-order', component: phone.order },
        { path: 'rounds', name: 'phone-rounds', component: phone.rounds },
        { path: 'rounds/:id', name: 'phone-round', component: phone.round },
        { path: 'scan', name: 'phone-scan', component: phone.scan },
        { path: 'me', name: 'phone-me', component: phone.me },
      ],
    },
    { path: '/:elsewhere(.*)*', name: 'elsewhere', component: pages.elsewhere },
  ],
  scrollBehavior: (_to, _from, saved) => saved ?? { top: 0 },
})

let asked = false

/** Pixels; a window that is narrower is in a hand. */
const HAND = 760

/** Whoever works with their hands and opens the start page on a phone is meant to be at `/m`. */
function isForHand(to: RouteLocationNormalized, from: RouteLocationNormalized): boolean {
  const isStart = from === START_LOCATION || from.name === 'login' || from.name === 'phone-login'
  const role = useSession().me?.user.role
  return to.name === 'overview' && isStart && innerWidth <= HAND && role === 'technician'
}

async function knownOnPhone(): Promise<boolean> {
  const session = useSession()
  if (session.user === null) await recallOnPhone()
  return session.user !== null
}

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

router.beforeEach(async (to, from) => {
  // The phone keeps its page, and takes a newer one when it is told to. Within a page nothing is
  // loaded anew.
  if (useVersion().outdated && to.meta['phone'] !== true && to.path !== from.path) {
    location.assign(to.fullPath)
    return false
  }
  if (to.name === 'login' || to.meta['open'] === true) return true
  if (to.meta['phone'] === true) {
    return (await knownOnPhone()) || { name: 'phone-login', query: { to: to.fullPath } }
  }
  if (await knownUser()) return isForHand(to, from) ? { name: 'phone-orders' } : true
  return { name: 'login', query: { to: to.fullPath } }
})

// After an update the server no longer has the files that this page asks for: begin anew with it.
router.onError((_error, to) => {
  if (useLive().ready && !useLive().lost) location.assign(to.fullPath)
})
