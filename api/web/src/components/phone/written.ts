/** What was written on this phone, and what stood in its way, in words. */
import type { OfflineLine } from '@/client/types'
import { useAnswers } from '@/components/rounds/answers'
import { itemOf } from '@/phone/merge'
import type { Entry, Photo } from '@/phone/queue'
import { usePhone } from '@/stores/phone'
import { useWords } from '@/words'

interface Wording {
  /** The thing that it is about. */
  what(entry: Entry): string
  /** What was written. */
  value(entry: Entry): string
  /** Why it was not taken. */
  why(one: Pick<Entry | Photo, 'said'>): string
  /** What the server had instead; empty: nothing that it told of. */
  theirs(entry: Entry): string
}

export function useWritten(): Wording {
  const phone = usePhone()
  const { t, te, text, when } = useWords()
  const { answer } = useAnswers()

  function lineOf({ subject, item }: Entry): OfflineLine | null {
    return phone.round(subject)?.lines.find(({ key }) => key === item) ?? null
  }

  function figure(line: OfflineLine | null, value: unknown): string {
    if (typeof value !== 'boolean' && typeof value !== 'number' && typeof value !== 'string') return ''
    if (line === null) return String(value)
    const { figure: said, unit } = answer(itemOf(line), value)
    return `${said} ${unit}`.trim()
  }

  /** The word of a step, such as `arrive`, which its kind ends with. */
  function step(kind: string): string {
    const key = `order.step.${kind.replace('order_', '')}`
    return te(key) ? t(key) : ''
  }

  function ticked({ subject, body }: Entry): string {
    const found = phone.order(subject)?.steps?.find(({ number }) => number === body['step'])
    const name = [String(body['step']), text(found?.name)].filter(Boolean).join('. ')
    return t(body['done'] === false ? 'phone.unticked' : 'phone.ticked', { name })
  }

  function state(word: string | null): string {
    const key = [`order.state.${word}`, `rounds.state.${word}`].find((one) => te(one))
    return key === undefined ? '' : t(key)
  }

  return {
    what(entry) {
      const order = phone.order(entry.subject)?.order
      if (order !== undefined) return `#${order.number} ${text(order.title)}`
      const line = lineOf(entry)
      const round = text(phone.round(entry.subject)?.name) || entry.subject
      if (line === null) return round
      return `${text(line.equipment?.name)} ${text(line.name)}`.trim()
    },
    value(entry) {
      const { body, kind } = entry
      const notes = ['note', 'reason'].flatMap((key) => (typeof body[key] === 'string' ? [body[key]] : []))
      const done = kind === 'order_tick' ? ticked(entry) : kind === 'round_finish' ? t('rounds.finish') : step(kind)
      const failed = body['passed'] === false && body['value'] !== false ? t('rounds.notPassed') : ''
      return [figure(lineOf(entry), body['value']), done, failed, ...notes].filter(Boolean).join('，')
    },
    why({ said }) {
      const key = `phone.reason.${said?.reason}`
      const detail = said?.detail ?? ''
      return te(key) ? t(key, { detail }) : detail
    },
    theirs(entry) {
      const found = entry.said?.theirs
      if (!found) return ''
      const said = [
        figure(lineOf(entry), found.value),
        found.event === 'tick' ? t('phone.tickedIt') : '',
        state(found.state),
        found.assigned_name ?? '',
        found.note ?? '',
      ]
      const who = [found.by_name ?? found.by ?? '', found.at === null ? '' : when(found.at)]
      return t('phone.theirs', {
        who: who.filter(Boolean).join(' '),
        what: said.filter(Boolean).join('，'),
      })
    },
  }
}
