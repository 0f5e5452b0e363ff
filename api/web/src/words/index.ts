/** The two languages of the page. */
import { createI18n, useI18n } from 'vue-i18n'

import type { Alarm, Equipment, Point, Text } from '@/client/types'
import type { Seen } from '@/model/freshness'
import { figure, span } from '@/model/figures'
import { dayOf, hourMinute, when, whenMinute } from '@/model/moments'
import { useSite } from '@/stores/site'
import { useTime } from '@/stores/time'
import type { Language } from '@/stores/display'
import en from './en.json'
import zh from './zh.json'

export const words = createI18n<[typeof zh], Language, false>({
  legacy: false,
  locale: 'zh',
  fallbackLocale: 'zh',
  messages: { zh, en },
})

/** A value as it is written: the figure or word, and its unit. */
export interface Written {
  figure: string
  unit: string
}

const NO_VALUE: Written = { figure: '—', unit: '' }

/** Everything by which a component puts things into words. */
export function useWords() {
  const { t, te, locale } = useI18n({ useScope: 'global' })
  const time = useTime()
  const site = useSite()

  /** A name that the site, a profile or a rule gives in both languages. */
  const text = (name: Text | null | undefined): string =>
    name?.[locale.value as Language] ?? ''

  const duration = (ms: number): string =>
    span(ms)
      .map(([n, unit], index) => t(index === 0 ? `span.${unit}` : `span.and.${unit}`, { n }))
      .join(' ')

  /** How old something is: to the tenth of a second while it is fresh. */
  const age = (ms: number): string =>
    ms < 10_000 ? t('span.second', { n: figure(ms / 1000, 1) }) : duration(ms)

  /** What is seen of `point`, with no more than `most` decimals. */
  const value = (point: Point, shown: Seen, most = 2): Written => {
    if (shown.text !== null) return { figure: shown.text, unit: '' }
    if (shown.value === null) return NO_VALUE
    if (point.kind === 'number') {
      return { figure: figure(shown.value, Math.min(point.decimals, most)), unit: point.unit }
    }
    const state = point.states[String(shown.value)]
    return { figure: state === undefined ? figure(shown.value) : text(state), unit: point.unit }
  }

  /** `上限 75`: the limit that an alarm was raised against; empty where it has no number. */
  const limit = (alarm: Alarm): string => {
    const point = site.points.get(alarm.point)
    // Of a flag or a state, the word that it has in the alarm says all; so it does of a link.
    if (alarm.limit === null || point?.kind !== 'number') return ''
    const rule = point.limits.find((found) => found.rule === alarm.rule)
    const value = figure(alarm.limit, Number.isInteger(alarm.limit) ? 0 : 1)
    if (typeof rule?.above === 'number') return t('limit.above', { value })
    if (typeof rule?.below === 'number') return t('limit.below', { value })
    return t('limit.at', { value })
  }

  /** Why a reading is not good: the code in words, the detail as it is. */
  const reason = (told: string): string => {
    const [code = '', ...rest] = told.split(': ')
    const word = te(`reason.${code}`) ? t(`reason.${code}`) : code
    return rest.length > 0 ? `${word} (${rest.join(': ')})` : word
  }

  /** What is wrong with what, in one line. */
  const title = (alarm: Alarm): string =>
    t('alarm.title', { equipment: text(alarm.equipment_name), name: text(alarm.name) })

  return {
    t,
    te,
    text,
    title,
    reason,
    duration,
    age,
    value,
    limit,
    /** Maker and model, the maker once. */
    model: ({ vendor, model }: Equipment): string => {
      const name = text(model)
      return name.startsWith(vendor) ? name : `${vendor} ${name}`
    },
    /** The name of an area; what is about the whole site stands under the site's own. */
    area: (id: string): string =>
      text(id === site.site?.id ? site.site.name : site.areas.get(id)) || id,
    /** `19:42:07`, with the day before it where it is not today. */
    when: (iso: string): string => when(Date.parse(iso), time.now, site.zone),
    whenMinute: (iso: string): string => whenMinute(Date.parse(iso), time.now, site.zone),
    /** `2026-11-21` in the site's zone; without a moment: today. */
    day: (iso?: string): string =>
      dayOf(iso === undefined ? time.now : Date.parse(iso), site.zone),
    whenMs: (ms: number): string => when(ms, time.now, site.zone),
    hourMinute: (ms: number): string => hourMinute(ms, site.zone),
    /** How long the condition of an alarm has lasted, or did last. */
    lasted: ({ raised_at, cleared_at }: Alarm): string =>
      duration((cleared_at === null ? time.now : Date.parse(cleared_at)) - Date.parse(raised_at)),
  }
}
