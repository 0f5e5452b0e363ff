/** Answers to items go into the phone's list. */
import type { Entering } from '@/components/rounds/entering'
import type { RoundEntryNew } from '@/client/types'
import { answerUnderWay } from '@/phone/merge'
import { UNSEEN } from '@/phone/queue'
import type { Unsent } from '@/stores/entries'
import { usePhone } from '@/stores/phone'
import { useTime } from '@/stores/time'

export function usePhoneEntering(): Entering {
  const phone = usePhone()
  const time = useTime()

  /** A moment of the page's time, which follows the server's, by the phone's own clock. */
  function ownClock(iso: string): string {
    return new Date(Date.parse(iso) - time.now + Date.now()).toISOString()
  }

  function unsentOf(round: string, item: string): Unsent | null {
    const found = answerUnderWay(phone.entries, round, item)
    if (found === null) return null
    const { value, passed, note } = found.body as Pick<RoundEntryNew, 'value' | 'passed' | 'note'>
    return {
      round,
      item,
      by: found.by,
      entry: { entry: found.id, value, passed: passed ?? null, note: note ?? null },
      state: 'waiting',
    }
  }

  return {
    of: unsentOf,
    give(round, item, { value, passed, note, scan }) {
      const version = phone.round(round)?.version ?? UNSEEN
      const body = {
        item,
        value,
        passed: passed ?? null,
        note: note ?? null,
        scan: scan ? { code: scan.code, at: ownClock(scan.at) } : null,
      }
      void phone.write({ kind: 'round_item', subject: round, item, version, body })
    },
  }
}
