/** Who a phone is while the server cannot be asked: who it was the last time, until they log out. */
import type { Me, Site } from '@/client/types'
import { keep, recalled } from './kept'
import { KNOWN_AS, useSession } from './session'
import { useSite } from './site'

const SITE = 'dutyroom.phone.site'
/** ms; nobody stands longer than this before an empty page. */
const PATIENCE = 2500

function parsed<Document>(key: string): Document | null {
  try {
    return JSON.parse(recalled(key) ?? 'null') as Document | null
  } catch {
    return null
  }
}

export function keepIdentity(me: Me): void {
  keep(KNOWN_AS, JSON.stringify(me))
}

export function keepSite(site: Site): void {
  keep(SITE, JSON.stringify(site))
}

function late(): Promise<never> {
  const failing = new Promise<never>((_, failed) => setTimeout(() => failed(new Error('late')), PATIENCE))
  failing.catch(() => undefined)
  return failing
}

/** Ask the server who this is; where it does not answer in time, go on as who it was. */
export async function recallOnPhone(): Promise<void> {
  const session = useSession()
  const known = parsed<Me>(KNOWN_AS)
  const site = parsed<Site>(SITE)
  const asked = session.recall()
  asked.catch(() => undefined)
  try {
    await (known === null ? asked : Promise.race([asked, late()]))
  } catch {
    if (known !== null) session.assume(known)
    if (site !== null) useSite().assume(site)
  }
}
