/** Small documents as the API gives them, for the tests. */
import type { Alarm, Order, Reading } from '../src/client/types.ts'

export const NOW = Date.parse('2026-11-21T18:00:00+08:00')

export function iso(secondsAgo: number): string {
  return new Date(NOW - secondsAgo * 1000).toISOString()
}

export function reading(changes: Partial<Reading> = {}): Reading {
  return {
    value: 61.4,
    text: null,
    quality: 'good',
    reason: null,
    received_at: iso(1),
    source_at: iso(1),
    last_good: { value: 61.4, text: null, received_at: iso(1) },
    stale_after_s: 3,
    ...changes,
  }
}

export function alarm(changes: Partial<Alarm> = {}): Alarm {
  return {
    id: 'pump-2.hot.1',
    rule: 'hot',
    name: { zh: '热', en: 'Hot' },
    equipment: 'pump-2',
    equipment_name: { zh: '水泵 2', en: 'Pump 2' },
    area: 'room',
    point: 'pump-2.motor_temperature',
    priority: 'major',
    state: 'unacknowledged',
    present: true,
    life_safety: false,
    value: 76,
    limit: 75,
    unit: '℃',
    raised_at: iso(60),
    first_reading_at: iso(70),
    last_raised_at: null,
    count: 1,
    cleared_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    acknowledged_until: null,
    latches: false,
    shelf: null,
    explained_by: null,
    explains: 0,
    first_out: false,
    note: null,
    guidance: { zh: [], en: [] },
    order: null,
    current: reading(),
    provisional: false,
    explained: null,
    events: null,
    ...changes,
  }
}

export function clock(changes: Partial<Order['clock']> = {}): Order['clock'] {
  return {
    name: 'complete',
    limit_s: 7200,
    started_at: iso(3600),
    due_at: iso(-3600),
    remaining_s: 3600,
    state: 'running',
    calendar: 'always',
    pauses: [],
    explain: { zh: '', en: '' },
    ...changes,
  }
}

export function order(changes: Partial<Order> = {}): Order {
  return {
    id: 'pump-2.overheat.1',
    number: 1,
    source: 'alarm',
    category: 'water_supply',
    category_name: { zh: '给排水', en: 'Water supply' },
    priority: 'major',
    state: 'open',
    title: { zh: '热', en: 'Hot' },
    description: null,
    equipment: 'pump-2',
    equipment_name: { zh: '水泵 2', en: 'Pump 2' },
    area: 'room',
    cause_key: 'overheat',
    alarms: [],
    finding: null,
    requester: null,
    promise: null,
    created_at: iso(3600),
    created_by: null,
    assigned_at: null,
    assigned_to: null,
    assigned_name: null,
    accepted_at: null,
    accepted_by: null,
    arrived_at: null,
    suspended_why: null,
    completed_at: null,
    completed_by: null,
    verified_at: null,
    verified_by: null,
    verifies_at: null,
    proofs: [],
    visited_at: null,
    satisfied: null,
    closed_at: null,
    note: null,
    cause_code: null,
    remedy_code: null,
    materials: [],
    labour_minutes: null,
    cost: null,
    clock: clock(),
    clocks: [clock()],
    escalated_to: null,
    events: null,
    ...changes,
  }
}
