/** Small documents as the API gives them, for the tests. */
import type { Alarm, Bucket, Order, Reading } from '../src/client/types.ts'

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
    value: 76,
    limit: 75,
    unit: '℃',
    raised_at: iso(60),
    first_reading_at: iso(70),
    cleared_at: null,
    acknowledged_at: null,
    acknowledged_by: null,
    note: null,
    guidance: { zh: [], en: [] },
    order: null,
    current: reading(),
    provisional: false,
    ...changes,
  }
}

export function clock(changes: Partial<Order['clock']> = {}): Order['clock'] {
  return {
    limit_s: 7200,
    due_at: iso(-3600),
    remaining_s: 3600,
    state: 'running',
    explain: { zh: '', en: '' },
    ...changes,
  }
}

export function order(changes: Partial<Order> = {}): Order {
  return {
    id: 'pump-2.overheat.1',
    number: 1,
    category: 'water_supply',
    category_name: { zh: '给排水', en: 'Water supply' },
    priority: 'major',
    state: 'open',
    title: { zh: '热', en: 'Hot' },
    equipment: 'pump-2',
    equipment_name: { zh: '水泵 2', en: 'Pump 2' },
    area: 'room',
    cause_key: 'overheat',
    alarms: [],
    finding: null,
    created_at: iso(3600),
    accepted_at: null,
    accepted_by: null,
    completed_at: null,
    completed_by: null,
    note: null,
    clock: clock(),
    ...changes,
  }
}

export function bucket(secondsAgo: number, count: number): Bucket {
  const value = count > 0 ? 50 : null
  return {
    start: iso(secondsAgo),
    min: value,
    mean: value,
    max: value,
    last: value,
    count,
    quality: count > 0 ? 'good' : 'bad',
  }
}
