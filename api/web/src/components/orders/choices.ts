/** What an order can be about and how urgent it can be, to choose from. */
import { computed, type ComputedRef } from 'vue'

import type { Priority } from '@/client/types'
import { useCodes } from '@/stores/codes'
import { useWords } from '@/words'

const PRIORITIES: readonly Priority[] = ['critical', 'major', 'minor', 'info']

interface OrderChoices {
  categories: ComputedRef<{ value: string; label: string }[]>
  priorities: ComputedRef<{ value: Priority; label: string; shape: Priority }[]>
}

export function useOrderChoices(): OrderChoices {
  const codes = useCodes()
  const { t, text } = useWords()
  return {
    categories: computed(() =>
      Object.entries(codes.codes?.categories ?? {}).map(([value, name]) => ({
        value,
        label: text(name),
      })),
    ),
    priorities: computed(() =>
      PRIORITIES.map((value) => ({ value, label: t(`priority.${value}`), shape: value })),
    ),
  }
}
