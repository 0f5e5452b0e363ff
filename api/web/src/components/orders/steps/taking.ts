/** Where the steps of an order go that take a word along: to the server, or on a phone into its list. */
import { inject, type InjectionKey } from 'vue'

import { orders } from '@/client/orders'
import { plans } from '@/client/plans'
import type { Order, PlanDueWhole } from '@/client/types'

/** The sheet of what an order of a plan is for. */
export type Sheet = Pick<PlanDueWhole, 'steps' | 'materials'>

export interface Taking {
  calls: Pick<typeof orders, 'suspend' | 'complete' | 'decline' | 'void'>
  /** Null: the order is of no plan. */
  sheet(order: Order): Promise<Sheet | null>
  /** Nobody but who is logged in takes them here. */
  alone: boolean
}

export const TAKING: InjectionKey<Taking> = Symbol('taking')

async function sheetOf({ id, source }: Order): Promise<Sheet | null> {
  if (source !== 'plan') return null
  const [found] = await plans.due({ order: id })
  return found === undefined ? null : plans.oneDue(found.id)
}

export function useTaking(): Taking {
  return inject(TAKING, () => ({ calls: orders, sheet: sheetOf, alone: false }), true)
}
