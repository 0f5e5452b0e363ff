/** Why the server refuses a limit or a delay of a rule, as a word that the page has. */

export type RefusedLimit =
  | 'neverAbove'
  | 'neverBelow'
  | 'neverClears'
  | 'onlyBelow'
  | 'onlyAbove'
  | 'safetyAbove'
  | 'safetyBelow'
  | 'safetyDelay'
  | 'delayRange'

const PATTERNS: readonly (readonly [RegExp, RefusedLimit])[] = [
  [/ is never passed: .* reports (\S+) at most$/, 'neverAbove'],
  [/ is never passed: .* reports (\S+) at least$/, 'neverBelow'],
  [/ would never clear: it clears at (\S+)$/, 'neverClears'],
  [/^never holds: .* for values below (\S+) only$/, 'onlyBelow'],
  [/^never holds: .* for values above (\S+) only$/, 'onlyAbove'],
  [/fire or entrapment: no limit above (\S+)$/, 'safetyAbove'],
  [/fire or entrapment: no limit below (\S+)$/, 'safetyBelow'],
  [/fire or entrapment: no longer delay than (\S+)$/, 'safetyDelay'],
  [/^a delay is 0s to (\d+)d$/, 'delayRange'],
]

/** The word and the value in it; null: the server has another reason, let it speak itself. */
export function refusedLimit(message: string): { word: RefusedLimit; value: string } | null {
  for (const [pattern, word] of PATTERNS) {
    const found = pattern.exec(message)
    if (found !== null) return { word, value: found[1] ?? '' }
  }
  return null
}
