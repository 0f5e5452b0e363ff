/** Why the server does not plan a test as it was asked for. */

export type RefusedPlan = 'past' | 'length' | 'stranger' | 'untrained' | 'elsewhere'

const PATTERNS: readonly (readonly [RegExp, RefusedPlan])[] = [
  [/^lies in the past$/, 'past'],
  [/^a test ends after its start, within 8 hours$/, 'length'],
  [/^nobody here who logs in is called (.+)$/, 'stranger'],
  [/^(.+) does not test equipment$/, 'untrained'],
  [/^(.+) does not work in /, 'elsewhere'],
]

/** The word, and the user name in it; null: the server has another reason, let it speak itself. */
export function refusedPlan(message: string): { word: RefusedPlan; name: string } | null {
  for (const [pattern, word] of PATTERNS) {
    const found = pattern.exec(message)
    if (found !== null) return { word, name: found[1] ?? '' }
  }
  return null
}

/** The name of the test that has some of the equipment at that time; empty: it is not said. */
export function otherTest(message: string): string {
  return /^the test (.+) has some of this equipment/is.exec(message)?.[1] ?? ''
}
