/** Who may sign something, and what a signature has to have. */
import { computed, type ComputedRef } from 'vue'

import type { Signing } from '@/client/api'
import type { Permission } from '@/client/types'
import { useChoices } from '@/components/people/choices'
import { usePeople } from '@/stores/people'
import { useSession } from '@/stores/session'

/** Somebody who could sign, and what they may do where it is. */
export interface Signer {
  username: string
  may(permission: Permission): boolean
}

/** What is signed: where, and who is allowed to. */
export interface Signed {
  area?: string | undefined
  allows(signer: Signer): boolean
}

interface Signers {
  /** Whether who is logged in may do it themselves. */
  own: ComputedRef<boolean>
  /** Everybody else who may, with a PIN of their own. */
  others: ComputedRef<{ value: string; label: string }[]>
}

export function useSigners(signed: () => Signed): Signers {
  const people = usePeople()
  const session = useSession()
  const { peopleWho } = useChoices()

  return {
    own: computed(() => {
      const { area, allows } = signed()
      const username = session.user?.username ?? ''
      return allows({ username, may: (permission) => session.may(permission, area) })
    }),
    others: computed(() => {
      const { area, allows } = signed()
      return peopleWho(
        (one) =>
          one.active &&
          one.has_pin &&
          one.username !== session.user?.username &&
          allows({
            username: one.username,
            may: (permission) => people.may(one, permission, area),
          }),
      )
    }),
  }
}

export function isSigned({ username, pin }: Signing): boolean {
  return username !== '' && /^\d{4,8}$/.test(pin)
}
