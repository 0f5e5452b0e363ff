/** Owners' requests: whether somebody who calls has asked before, and times to promise. */
import type { Order } from '../client/types.ts'
import { plusDays } from './days.ts'

/** Digits alone: people write telephone numbers in many ways. */
function digits(text: string): string {
  return text.replace(/\D/g, '')
}

/**
 * Whether `order` is of whom `caller` (name, telephone number and place, a line each) tells, as
 * far as that is typed.
 */
export function isAskedBy(order: Order, caller: string): boolean {
  const { requester } = order
  if (!requester) return false
  const [name = '', phone = '', place = ''] = caller.split('\n').map((line) => line.trim())
  const number = digits(phone)
  return (
    (number.length >= 5 && digits(requester.phone ?? '').includes(number)) ||
    (name.length >= 2 && requester.name.includes(name)) ||
    (place.length >= 3 && requester.place.includes(place))
  )
}

/** Wall times that are usually promised, after `now` (`2026-11-21T09:30`). */
export function usualPromises(now: string): { day: 'today' | 'tomorrow'; wall: string }[] {
  const today = now.slice(0, 10)
  const tomorrow = plusDays(today, 1)
  const usual = [
    { day: 'today', wall: `${today}T12:00` },
    { day: 'today', wall: `${today}T18:00` },
    { day: 'tomorrow', wall: `${tomorrow}T12:00` },
    { day: 'tomorrow', wall: `${tomorrow}T18:00` },
  ] as const
  return usual.filter(({ wall }) => wall > now)
}
