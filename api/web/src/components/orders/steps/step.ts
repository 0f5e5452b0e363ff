/** What a step of an order is called, and who may sign it. */
import type { Order } from '@/client/types'
import type { Signed } from '@/components/signing/signing'
import { mayTake, type Step } from '@/model/orders'

/** The key of the step's word: an order that somebody has is handed on rather than given out. */
export function stepWord(order: Order, step: Step): string {
  return step === 'assign' && order.state !== 'open' ? 'order.handOver' : `order.step.${step}`
}

export function signedOf(order: Order, step: Step): Signed {
  return { area: order.area, allows: (signer) => mayTake(order, step, signer) }
}
