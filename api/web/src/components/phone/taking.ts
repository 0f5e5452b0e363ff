/** Steps of an order go into the phone's list. */
import { Failure } from '@/client/api'
import type { Order } from '@/client/types'
import type { Taking } from '@/components/orders/steps/taking'
import { ORDER_KINDS, orderAfter, ticksAfter, type PhoneStep } from '@/phone/merge'
import { usePhone } from '@/stores/phone'

/** Write `step` of the order `id` down; throws `Failure`: it could not be kept. */
export async function takeStep(id: string, step: PhoneStep, body: object = {}): Promise<Order> {
  const phone = usePhone()
  const found = phone.order(id)
  if (found === null) throw new Failure(404, 'it is not on this phone any more')
  const kept = await phone.write({
    kind: ORDER_KINDS[step],
    subject: id,
    item: null,
    version: found.version,
    body: { ...body },
  })
  if (!kept) throw new Failure(507, 'it could not be kept')
  return orderAfter(found.order, phone.entries)
}

export function usePhoneTaking(): Taking {
  const phone = usePhone()
  return {
    alone: true,
    // As it was fetched, with what was ticked here since: there may be no server to ask.
    sheet: async ({ id }) => {
      const found = phone.order(id)
      const steps = found === null ? [] : ticksAfter(found, phone.entries)
      return steps.length === 0 ? null : { steps, materials: found?.materials ?? [] }
    },
    calls: {
      suspend: (id, body) => takeStep(id, 'suspend', body),
      complete: (id, body) => takeStep(id, 'complete', body),
      decline: (id, reason) => takeStep(id, 'decline', { reason }),
      void: () => Promise.reject(new Failure(403, 'not on a phone')),
    },
  }
}
