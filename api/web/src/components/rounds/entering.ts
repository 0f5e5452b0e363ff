/** Where the answers to items go: to the server at once, or on a phone into its list. */
import { inject, type InjectionKey } from 'vue'

import { useEntries, type Answer, type Unsent } from '@/stores/entries'

export interface Entering {
  give(round: string, item: string, answer: Answer): void
  /** The answer to an item that the server has not confirmed; null: there is none. */
  of(round: string, item: string): Unsent | null
}

export const ENTERING: InjectionKey<Entering> = Symbol('entering')

export function useEntering(): Entering {
  return inject(ENTERING, () => useEntries(), true)
}
