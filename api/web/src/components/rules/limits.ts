/** A limit and a delay as people read them. */
import type { RuleDetails, RuleEquipment, RuleSummary } from '@/client/types'
import { refusedLimit } from '@/model/refusedLimits'
import { useWords } from '@/words'

export function useLimits() {
  const { t, text, duration } = useWords()

  /** `90 ℃ · 持续 30 秒`: what is in force for one thing. */
  function limitOf(rule: RuleSummary, one: RuleEquipment): string {
    const delay =
      one.delay_s > 0
        ? t('rule.after', { span: duration(one.delay_s * 1000) })
        : t('rule.atOnce')
    return one.limit === null || !rule.adjustable
      ? delay
      : `${one.limit} ${rule.unit} · ${delay}`
  }

  /** The name of a thing that the rule is judged on. */
  function nameOf(rule: RuleDetails, id: string): string {
    return text(rule.judged_on.find((one) => one.id === id)?.name) || id
  }

  /** Why the server refuses a limit or a delay, in words where there are some for it. */
  function refused(why: string): string {
    const found = refusedLimit(why)
    return found === null ? why : t(`rule.refused.${found.word}`, { value: found.value })
  }

  return { limitOf, nameOf, refused }
}
