/** How this browser likes the page: theme and language. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'

import { hourOf } from '@/model/moments'
import { keep, recalled } from './kept'
import { useSite } from './site'
import { useTime } from './time'

export type Theme = 'day' | 'night'
export type Language = 'zh' | 'en'

const THEME = 'dutyroom.theme'
const LANGUAGE = 'dutyroom.language'

/** The one of `words` that was chosen here; null: none. */
function chosenOf<Word extends string>(key: string, words: readonly Word[]): Word | null {
  const found = recalled(key)
  return words.find((word) => word === found) ?? null
}

/** After 18:00 and before 06:00. */
function isNight(hour: number): boolean {
  return hour >= 18 || hour < 6
}

export const useDisplay = defineStore('display', () => {
  const site = useSite()
  const time = useTime()

  /** The overview and the wall are looked at from afar: they turn dark by themselves at night. */
  const onWall = ref(['/', '/wall'].includes(location.pathname))
  const chosen = ref<Theme | null>(chosenOf(THEME, ['day', 'night']))
  const language = ref<Language>(chosenOf(LANGUAGE, ['zh', 'en']) ?? 'zh')

  const usual = computed<Theme>(() =>
    onWall.value && isNight(hourOf(time.now, site.zone)) ? 'night' : 'day',
  )
  const theme = computed(() => chosen.value ?? usual.value)

  /** The other theme; choosing the usual one goes back to following the hour. */
  function switchTheme(): void {
    const other = theme.value === 'day' ? 'night' : 'day'
    chosen.value = other === usual.value ? null : other
    keep(THEME, chosen.value)
  }

  function switchLanguage(): void {
    language.value = language.value === 'zh' ? 'en' : 'zh'
    keep(LANGUAGE, language.value)
  }

  watch(
    theme,
    (name) => {
      document.documentElement.dataset['theme'] = name
    },
    { immediate: true },
  )
  watch(
    language,
    (name) => {
      document.documentElement.lang = name === 'zh' ? 'zh-CN' : 'en'
    },
    { immediate: true },
  )

  return { theme, language, onWall, switchTheme, switchLanguage }
})
