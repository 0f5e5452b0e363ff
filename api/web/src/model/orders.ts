/** What the states of a work order are to a person: where it stands, and what may be done next. */
import type { Order, OrderState, Permission } from '../client/types.ts'

/** What somebody does with an order, by the word of its call. */
export type Step =
  | 'accept'
  | 'assign'
  | 'decline'
  | 'arrive'
  | 'start'
  | 'suspend'
  | 'resume'
  | 'complete'
  | 'verify'
  | 'reject'
  | 'visit'
  | 'void'

/** What may follow each state, the next one first: the server's own table, as the page offers it. */
const STEPS: Readonly<Record<OrderState, readonly Step[]>> = {
  open: ['assign', 'accept', 'void'],
  assigned: ['accept', 'assign', 'decline', 'void'],
  accepted: ['arrive', 'start', 'complete', 'suspend', 'assign', 'decline', 'void'],
  on_site: ['start', 'complete', 'suspend', 'assign', 'decline', 'void'],
  in_progress: ['complete', 'suspend', 'assign', 'decline', 'void'],
  suspended: ['resume', 'assign', 'decline', 'void'],
  completed: ['verify', 'reject'],
  verified: ['visit', 'reject'],
  closed: [],
  void: [],
}

export const PERMISSION: Readonly<Record<Step, Permission>> = {
  accept: 'order.accept',
  assign: 'order.assign',
  decline: 'order.accept',
  arrive: 'order.complete',
  start: 'order.complete',
  suspend: 'order.complete',
  resume: 'order.complete',
  complete: 'order.complete',
  verify: 'order.verify',
  reject: 'order.verify',
  visit: 'order.visit',
  void: 'order.verify',
}

/** Steps that are nobody's in particular. */
const ANYBODYS: readonly Step[] = ['assign', 'verify', 'reject', 'visit', 'void']

/** Somebody who may take a step, and what they may do where the order is. */
export interface Hand {
  username: string
  may(permission: Permission): boolean
}

/**
 * Whether `hand` may take `step`, as the server has it: the work is of whoever has the order, who
 * may also hand it on; whoever gives orders out may stand in.
 */
export function mayTake({ assigned_to: has }: Pick<Order, 'assigned_to'>, step: Step, hand: Hand): boolean {
  if (step === 'assign' && has === hand.username) return hand.may('order.accept')
  if (!hand.may(PERMISSION[step])) return false
  if (ANYBODYS.includes(step)) return true
  return !has || has === hand.username || hand.may('order.assign')
}

/** What needs no word from whoever does it. */
const AT_ONCE = ['accept', 'arrive', 'start', 'resume'] as const
export type StepAtOnce = (typeof AT_ONCE)[number]

export function isAtOnce(step: Step): step is StepAtOnce {
  return (AT_ONCE as readonly Step[]).includes(step)
}

/** What can be done with `order`; an order that nobody asked for has nobody to visit. */
export function stepsOf({ state, requester }: Pick<Order, 'state' | 'requester'>): Step[] {
  return STEPS[state].filter((step) => step !== 'visit' || Boolean(requester))
}

/** What is done instead of going on. */
const ASIDE: readonly Step[] = ['decline', 'suspend', 'reject', 'void']

/**
 * The one step that stands out: the first that leads on and that `may` be done by who looks;
 * where there is none, the one that somebody else is awaited for.
 */
export function nextStep(steps: readonly Step[], may: (step: Step) => boolean): Step | null {
  const [first = null] = steps
  // Handing on what somebody has is no way on.
  const leadsOn = (step: Step): boolean =>
    step === 'assign' ? first === 'assign' : !ASIDE.includes(step)
  return steps.find((step) => leadsOn(step) && may(step)) ?? first
}

export const COLUMNS = ['open', 'assigned', 'working', 'suspended', 'completed', 'verified'] as const
export type Column = (typeof COLUMNS)[number]

/** Where an order stands on the board; null: it is over. */
export function columnOf(state: OrderState): Column | null {
  if (state === 'accepted' || state === 'on_site' || state === 'in_progress') return 'working'
  return state === 'closed' || state === 'void' ? null : state
}

export function isOver({ state }: Pick<Order, 'state'>): boolean {
  return columnOf(state) === null
}

/** Whether somebody still has to do the work. */
export function isRunning({ state }: Pick<Order, 'state'>): boolean {
  return !['completed', 'verified', 'closed', 'void'].includes(state)
}

/** Who has it, or had it last. */
export function holder(order: Order): string | null {
  return order.assigned_to ?? order.completed_by ?? order.accepted_by
}

/** What still needs work first, of that the critical first, then by when time is over. */
export function byNeed(one: Order, other: Order): number {
  return (
    Number(isRunning(other)) - Number(isRunning(one)) ||
    Number(other.priority === 'critical') - Number(one.priority === 'critical') ||
    Date.parse(one.clock.due_at) - Date.parse(other.clock.due_at)
  )
}

/** What is looked for; empty: everything. */
export interface Wanted {
  /** Only what this person has. */
  holder: string
  area: string
  category: string
  source: '' | Order['source']
}

export function isWanted(order: Order, wanted: Wanted): boolean {
  return (
    (wanted.holder === '' || holder(order) === wanted.holder) &&
    (wanted.area === '' || order.area === wanted.area) &&
    (wanted.category === '' || order.category === wanted.category) &&
    (wanted.source === '' || order.source === wanted.source)
  )
}

/** What the materials of an order cost; null: no price is known. */
export function materialCost({ materials }: Pick<Order, 'materials'>): number | null {
  const priced = materials.flatMap(({ quantity, price }) =>
    typeof price === 'number' ? [quantity * price] : [],
  )
  return priced.length > 0 ? priced.reduce((sum, one) => sum + one, 0) : null
}
