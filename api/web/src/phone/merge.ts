/** What was fetched and what was written since, as one picture: nothing fetched is changed by it. */
import type {
  OfflineLine,
  OfflineOrder,
  Order,
  OrderState,
  PlanDueStep,
  RoundItem,
} from '../client/types.ts'
import { stepsOf, type Step } from '../model/orders.ts'
import { isOpenItem } from '../model/rounds.ts'
import { bySeq, type Entry, type EntryKind, type Photo } from './queue.ts'

/** Steps of an order that can be written without signal, and what they are sent as. */
export const ORDER_KINDS = {
  accept: 'order_accept',
  arrive: 'order_arrive',
  start: 'order_start',
  resume: 'order_resume',
  suspend: 'order_suspend',
  decline: 'order_decline',
  complete: 'order_complete',
} as const satisfies Partial<Record<Step, EntryKind>>

export type PhoneStep = keyof typeof ORDER_KINDS

/** Where an order stands after a step. */
const AFTER: Readonly<Record<PhoneStep, OrderState>> = {
  accept: 'accepted',
  arrive: 'on_site',
  start: 'in_progress',
  resume: 'in_progress',
  suspend: 'suspended',
  decline: 'open',
  complete: 'completed',
}

export function isPhoneStep(step: string): step is PhoneStep {
  return step in ORDER_KINDS
}

/** Whether it counts on this phone: it is on its way, or has arrived and is not fetched yet. */
export function isUnderWay({ state }: Pick<Entry | Photo, 'state'>): boolean {
  return state === 'waiting' || state === 'sent'
}

/** Those about `subject` that are under way, in the order in which they were written. */
export function underWay(entries: readonly Entry[], subject: string): Entry[] {
  return entries.filter((one) => one.subject === subject && isUnderWay(one)).sort(bySeq)
}

/** Those about `subject` that the server did not take, and nobody has seen yet. */
export function fallen(entries: readonly Entry[], subject: string): Entry[] {
  return entries.filter((one) => one.subject === subject && !isUnderWay(one)).sort(bySeq)
}

/** The answer to a line that is under way; of several the last. */
export function answerUnderWay(entries: readonly Entry[], round: string, item: string): Entry | null {
  return underWay(entries, round).findLast((one) => one.kind === 'round_item' && one.item === item) ?? null
}

function stepOf(kind: EntryKind): PhoneStep | null {
  const found = Object.entries(ORDER_KINDS).find(([, sent]) => sent === kind)
  return found === undefined ? null : (found[0] as PhoneStep)
}

/** The order as it will be once everything under way has arrived. */
export function orderAfter<One extends Order>(order: One, entries: readonly Entry[]): One {
  return underWay(entries, order.id).reduce((before, { kind, entered_at: at, by }) => {
    const step = stepOf(kind)
    if (step === null) return before
    return {
      ...before,
      state: AFTER[step],
      ...(step === 'accept' && { accepted_at: at, accepted_by: by, assigned_to: by }),
      ...(step === 'arrive' && { arrived_at: at }),
      ...(step === 'complete' && { completed_at: at, completed_by: by }),
      ...(step === 'decline' && { assigned_to: null }),
    }
  }, order)
}

/** What can be done with it on a phone now; `acts`: what the server said, before anything was written. */
export function phoneSteps(
  order: Order,
  acts: readonly string[],
  entries: readonly Entry[],
): PhoneStep[] {
  const pending = underWay(entries, order.id).filter(({ kind }) => stepOf(kind) !== null)
  if (pending.length === 0) {
    const usual = stepsOf(order).filter(isPhoneStep)
    return usual.filter((step) => acts.includes(ORDER_KINDS[step]))
  }
  // A step can follow one's own step only while one has the order.
  if (pending.some(({ kind }) => kind === 'order_decline')) return []
  return stepsOf(orderAfter(order, pending)).filter(isPhoneStep)
}

/** A step of the sheet of an order, and whether its tick stands in the phone's own list. */
export interface PhoneTick extends PlanDueStep {
  pending: boolean
}

/** The sheet of `order` as it will be once everything under way has arrived. */
export function ticksAfter(
  order: Pick<OfflineOrder, 'id' | 'steps'>,
  entries: readonly Entry[],
): PhoneTick[] {
  const given = underWay(entries, order.id).filter(({ kind }) => kind === 'order_tick')
  return (order.steps ?? []).map((step) =>
    given
      .filter(({ body }) => body['step'] === step.number)
      .reduce<PhoneTick>((before, { body, entered_at, by, state }) => {
        const pending = state === 'waiting'
        if (body['done'] === false) return { ...before, done_at: null, done_by: null, pending }
        // Who has ticked it first has done it.
        return before.done_at === null ? { ...before, done_at: entered_at, done_by: by, pending } : before
      }, { ...step, pending: false }),
  )
}

/** Lines that a person still has to answer. */
export function left<Item extends Pick<RoundItem, 'key' | 'state' | 'kind'>>(
  rows: readonly Item[],
  round: string,
  entries: readonly Entry[],
): Item[] {
  return rows.filter((item) => isOpenItem(item) && answerUnderWay(entries, round, item.key) === null)
}

/** Lines that want a photograph which is neither there nor under way. */
export function lackingPhotos<Item extends Pick<RoundItem, 'key' | 'lacks'>>(
  rows: readonly Item[],
  round: string,
  photos: readonly Photo[],
): Item[] {
  const taken = new Set(
    photos.filter((one) => one.subject === round && isUnderWay(one)).map(({ item }) => item),
  )
  return rows.filter(({ key, lacks }) => lacks.includes('photo') && !taken.has(key))
}

/** Lines that are answered, or are being so, without the scan that they ask for. */
export function lackingScans<Item extends Pick<RoundItem, 'key' | 'lacks'>>(
  rows: readonly Item[],
  round: string,
  entries: readonly Entry[],
): Item[] {
  return rows.filter(({ key, lacks }) => {
    const scan = answerUnderWay(entries, round, key)?.body['scan'] ?? null
    return lacks.includes('qr') && scan === null
  })
}

/** What a phone knows of an order: what was fetched for it, and as the pages of the office have it. */
export type PhoneOrder = Pick<
  OfflineOrder,
  'id' | 'version' | 'acts' | 'guidance' | 'due_at' | 'steps' | 'materials'
> & {
  order: Order
}

/** Nothing is known of its time: no ring is drawn. */
function noClock({ due_at, created_at }: OfflineOrder): Order['clock'] {
  return {
    name: 'complete',
    limit_s: 0,
    started_at: null,
    due_at: due_at ?? created_at,
    remaining_s: 0,
    state: 'waiting',
    calendar: 'always',
    pauses: [],
    explain: { zh: '', en: '' },
  }
}

/** `whole`: the order with its clocks, where it is one's own. */
export function phoneOrder(fetched: OfflineOrder, whole: Order | undefined): PhoneOrder {
  const { id, version, acts, guidance, due_at, steps, materials, ...said } = fetched
  const clock = whole?.clock ?? noClock(fetched)
  const order: Order = {
    source: 'person',
    cause_key: '',
    alarms: [],
    finding: null,
    materials: [],
    proofs: [],
    accepted_by: null,
    completed_at: null,
    completed_by: null,
    note: null,
    ...whole,
    id,
    ...said,
    clock,
    clocks: whole?.clocks ?? [clock],
  }
  return { id, version, acts, guidance, due_at, steps, materials, order }
}

/** A line as the pages of the office have it, with what only they show left empty. */
export function itemOf(line: OfflineLine): RoundItem {
  return {
    ...line,
    source: { zh: '', en: '' },
    point: null,
    photos: [],
    drift: null,
    spot_check: null,
    sampled: false,
    offline: [],
  }
}

/** Orders of `person` that were not theirs, or not there, before. */
export function news<One extends Pick<Order, 'id'> & { assigned_to?: string | null }>(
  before: readonly One[],
  after: readonly One[],
  person: string,
): One[] {
  const had = new Set(before.filter((one) => one.assigned_to === person).map(({ id }) => id))
  return after.filter(({ id, assigned_to }) => assigned_to === person && !had.has(id))
}
