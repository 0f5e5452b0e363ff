/** The ring of a clock: what is left of its time, on the page's own clock. */
import type { Clock, Order } from '../client/types.ts'
import { isRunning } from './orders.ts'

export interface Ring {
  /** What is left, 0 to 1; 0 once the time is over. */
  left: number
  /** ms left; negative once the time is over. */
  remaining: number
  limit: number
  /** `waiting`: it has not begun; `done`: what it measures is done, in time or not. */
  state: 'waiting' | 'running' | 'paused' | 'late' | 'done'
}

/** The ring of a clock of `order`, left out the one that ends next, at `now` (ms since 1970). */
export function ring(order: Order, now: number, clock: Clock = order.clock): Ring {
  const limit = clock.limit_s * 1000
  const remaining = remains(order, clock, now)
  const left = limit > 0 ? Math.min(1, Math.max(0, remaining / limit)) : 0
  return { left, remaining, limit, state: stateOf(order, clock, remaining) }
}

function remains(order: Order, clock: Clock, now: number): number {
  const told = clock.remaining_s * 1000
  if (isStopped(order, clock) || isPaused(order, clock) || clock.state === 'waiting') return told
  const until = Date.parse(clock.due_at) - now
  // The nights until then do not count: it is never more than was left when it was told.
  return clock.calendar === 'working_time' && until > 0 ? Math.min(told, until) : until
}

function stateOf(order: Order, clock: Clock, remaining: number): Ring['state'] {
  if (isStopped(order, clock)) return 'done'
  if (clock.state === 'waiting') return 'waiting'
  if (remaining < 0) return 'late'
  return isPaused(order, clock) ? 'paused' : 'running'
}

/** A clock that was too late says so for ever; whether it still runs, says what it measures. */
function isStopped(order: Order, { name, state }: Clock): boolean {
  if (state !== 'breached') return state === 'stopped'
  const reached = {
    respond: order.accepted_at,
    arrive: order.arrived_at,
    complete: order.completed_at,
  }[name]
  return reached !== null || !isRunning(order)
}

function isPaused(order: Order, { state }: Clock): boolean {
  return state === 'paused' || (state === 'breached' && order.state === 'suspended')
}

/** Whether it stands because nobody works now, and not because the order waits for something. */
export function isOutside(order: Order, { state }: Ring): boolean {
  return state === 'paused' && order.state !== 'suspended'
}

/** A clock as a line from when it began: everything in parts of its length, 0 to 1. */
export interface Course {
  /** How far it has come. */
  done: number
  /** Where its time is, or was, over. */
  due: number
  /** What was not counted. */
  pauses: { from: number; to: number; why: string }[]
}

/** The course of a clock of `order` at `now` (ms since 1970); null: it has not begun. */
export function course(order: Order, now: number, clock: Clock): Course | null {
  if (!clock.started_at) return null
  if (clock.calendar === 'working_time') return counted(ring(order, now, clock))
  const start = Date.parse(clock.started_at)
  const left = clock.remaining_s * 1000
  // The time that is left begins again once the pause is over.
  const due = clock.state === 'paused' ? now + left : Date.parse(clock.due_at)
  const reached = isStopped(order, clock) ? due - left : now
  const length = Math.max(due, reached) - start
  const part = (at: number): number =>
    length > 0 ? Math.min(1, Math.max(0, (at - start) / length)) : 0
  const pauses = clock.pauses.map(({ start: from, end, why }) => ({
    from: part(Date.parse(from)),
    to: part(end === null ? now : Date.parse(end)),
    why,
  }))
  return { done: part(reached), due: part(due), pauses }
}

/** Of working time only what was counted can be drawn to scale. */
function counted({ limit, remaining }: Ring): Course {
  const used = limit - remaining
  const length = Math.max(limit, used)
  const part = (span: number): number => (length > 0 ? span / length : 0)
  return { done: part(used), due: part(limit), pauses: [] }
}
