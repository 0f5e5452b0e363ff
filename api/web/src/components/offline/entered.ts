/** What a phone has entered, and what stands against it, in words. */
import type { OfflineConflict } from '@/client/types'
import { figure } from '@/model/figures'
import { useWords } from '@/words'

/** One side of a conflict. */
export interface Side {
  what: string
  /** It says that something is not in order. */
  wrong: boolean
  more: string[]
  who: string
}

interface Entered {
  phones(one: OfflineConflict): Side
  systems(one: OfflineConflict): Side | null
}

export function useEntered(): Entered {
  const { t, te, text, when } = useWords()

  /** Empty where it is no value. */
  function value(one: OfflineConflict, said: unknown): string {
    if (typeof said === 'boolean') return t(said ? 'rounds.passed' : 'rounds.notPassed')
    if (typeof said === 'number') return `${figure(said, 3)} ${one.unit}`.trim()
    if (typeof said !== 'string') return ''
    const choice = one.choices.find(({ key }) => key === said)
    return choice ? text(choice.name) : said
  }

  const words = (said: unknown): string[] =>
    typeof said === 'string' && said.trim() !== '' ? [said] : []

  function phones(one: OfflineConflict): Side {
    const { body } = one
    const why = words(body['why']).map((word) => t(`order.why.${word}`))
    const done = te(`offline.kind.${one.kind}`) ? t(`offline.kind.${one.kind}`) : one.kind
    const what = one.kind === 'round_item' ? value(one, body['value']) : done
    const step = one.kind === 'order_tick' ? [t(body['done'] === false ? 'offline.unticked' : 'offline.ticked', { n: Number(body['step']) })] : []
    return {
      what: what || t('offline.nothing'),
      wrong: body['value'] === false || body['passed'] === false,
      more: [...step, ...why, ...words(body['reason']), ...words(body['note']), ...words(body['caption'])],
      who: one.by_name ?? one.by,
    }
  }

  function systems(one: OfflineConflict): Side | null {
    const { theirs } = one
    if (theirs === null) return null
    const name = one.kind.startsWith('order_') ? 'order.state' : 'rounds.state'
    const state = theirs.state !== null && te(`${name}.${theirs.state}`) ? t(`${name}.${theirs.state}`) : ''
    const has = theirs.assigned_to === null ? [] : [t('offline.has', { who: theirs.assigned_name ?? theirs.assigned_to })]
    return {
      what: theirs.event === 'tick' ? t('offline.tickedIt') : theirs.value === null ? state : value(one, theirs.value),
      wrong: theirs.passed === false,
      more: [...has, ...words(theirs.note)],
      who: [
        theirs.by_name ?? theirs.by ?? (one.reason === 'by_telemetry' ? t('rounds.byItself') : ''),
        theirs.at === null ? '' : when(theirs.at),
      ]
        .filter(Boolean)
        .join(' '),
    }
  }

  return { phones, systems }
}
