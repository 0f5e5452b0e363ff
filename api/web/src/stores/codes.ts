/** The words of orders that the rulebook gives: categories, causes, remedies; asked for once. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'

import { orders } from '@/client/orders'
import type { OrderCodes } from '@/client/types'

export const useCodes = defineStore('codes', () => {
  const codes = shallowRef<OrderCodes | null>(null)
  let asked = false

  async function load(): Promise<void> {
    if (asked) return
    asked = true
    try {
      codes.value = await orders.codes()
    } catch {
      asked = false
    }
  }

  /** Take them from what brings them along. */
  function take(found: OrderCodes): void {
    asked = true
    codes.value = found
  }

  return { codes, load, take }
})
