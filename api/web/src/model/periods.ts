/** What the period of a round is called, out of the API's short name for it. */

/** `word`: which kind it is; `values`: what its words need, such as the year and the month. */
export interface Period {
  word: 'day' | 'shift' | 'week' | 'firstHalf' | 'secondHalf' | 'month' | 'quarter' | 'firstSix' | 'lastSix' | 'year'
  values: Record<string, string>
}

const FORMS: readonly (readonly [Period['word'], RegExp])[] = [
  ['day', /^(?<day>\d{4}-\d\d-\d\d)$/],
  ['shift', /^(?<day>\d{4}-\d\d-\d\d)-(?<shift>.+)$/],
  ['week', /^(?<year>\d{4})-W0?(?<number>\d+)$/],
  ['firstHalf', /^(?<year>\d{4})-0?(?<month>\d+)-H1$/],
  ['secondHalf', /^(?<year>\d{4})-0?(?<month>\d+)-H2$/],
  ['month', /^(?<year>\d{4})-0?(?<month>\d+)$/],
  ['quarter', /^(?<year>\d{4})-Q(?<number>\d)$/],
  ['firstSix', /^(?<year>\d{4})-H1$/],
  ['lastSix', /^(?<year>\d{4})-H2$/],
  ['year', /^(?<year>\d{4})$/],
]

/** Null: no name of a period that is known here. */
export function periodOf(name: string): Period | null {
  for (const [word, form] of FORMS) {
    const found = form.exec(name)
    if (found !== null) return { word, values: { ...found.groups } }
  }
  return null
}
