/** Why something happened to an order, in words: what the server notes are codes and names. */
import type { LifecycleEvent, RoleWord } from '@/client/types'
import { usePeople } from '@/stores/people'
import { useWords } from '@/words'

/** `code: what was said`, the second part left out where nothing was said. */
function parted(why: string): [string, string] {
  const at = why.indexOf(': ')
  return at < 0 ? [why, ''] : [why.slice(0, at), why.slice(at + 2)]
}

export function useOrderWhy(): (event: LifecycleEvent) => string {
  const people = usePeople()
  const { t, te, text, when, duration } = useWords()

  const word = (key: string, code: string): string => (te(key) ? t(key) : code)
  const role = (code: string): string => text(people.roleName(code as RoleWord)) || code
  const joined = (...parts: string[]): string => parts.filter(Boolean).join('，')

  /** `respond: foreman: qian, sun`, or `respond: no foreman`. */
  function reminded(why: string): string {
    const [clock, rest] = parted(why)
    const name = word(`clock.name.${clock}`, clock)
    if (rest.startsWith('no ')) {
      const roles = rest.slice(3).split(', ').map(role).join('、')
      return t('order.noRole', { clock: name, role: roles })
    }
    const [whom, names] = parted(rest)
    const told = names.replace(/ \(.*\)$/, '').split(', ').map(people.nameOf).join('、')
    return t('order.toldTo', { clock: name, role: role(whom), names: told })
  }

  /** `3 cycles FROM TO`, or `1800 s`; what was shown before such words were kept says nothing. */
  function shown(said: string): string {
    const [n = '', unit, from = '', to = ''] = said.split(' ')
    if (unit === 'cycles') return t('order.byCycles', { n, from: when(from), to: when(to) })
    if (unit === 's') return t('order.byTime', { span: duration(Number(n) * 1000) })
    return t('order.byTelemetry')
  }

  return ({ event, why }) => {
    if (why === null) return ''
    const [code, said] = parted(why)
    switch (event) {
      case 'assign':
        return joined(t('order.to', { name: people.nameOf(code) }), said)
      case 'suspend':
        return joined(word(`order.why.${code}`, code), said)
      case 'visit':
        return joined(word(`order.how.${code}`, code), said)
      case 'breach':
        return word(`clock.name.${why}`, why)
      case 'remind':
        return reminded(why)
      case 'verify':
        return code === 'telemetry' ? shown(said) : why
      case 'reject':
        return why.startsWith('not satisfied, ')
          ? joined(t('order.satisfied.no'), parted(why)[1])
          : why
      default:
        return why
    }
  }
}
