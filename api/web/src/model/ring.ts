/** The ring of an order's clock: what is left of the time, on the page's own clock. */
import type { Order } from '../client/types.ts'

export interface Ring {
  /** What is left, 0 to 1; 0 once the time is over. */
  left: number
  /** ms left; negative once the time is over. */
  remaining: number
  limit: number
  /** `done`: the work is done and the clock stands, in time or not. */
  state: 'running' | 'late' | 'done'
}

/** The ring of `order` at `now` (ms since 1970). */
export function ring(order: Pick<Order, 'state' | 'clock'>, now: number): Ring {
  const { clock } = order
  const limit = clock.limit_s * 1000
  const done = order.state === 'completed' || order.state === 'closed'
  const remaining = done ? clock.remaining_s * 1000 : Date.parse(clock.due_at) - now
  const left = limit > 0 ? Math.min(1, Math.max(0, remaining / limit)) : 0
  const state = done ? 'done' : remaining < 0 ? 'late' : 'running'
  return { left, remaining, limit, state }
}
