/** What the server's validation says of a field, as a word that the page has in both languages. */

type Word = 'required' | 'tooShort' | 'tooLong' | 'tooFew' | 'tooMany' | 'date' | 'form' | 'choice'

const PATTERNS: readonly (readonly [RegExp, Word])[] = [
  [/^Field required/, 'required'],
  [/at least (\d+) character/, 'tooShort'],
  [/at most (\d+) character/, 'tooLong'],
  [/at least (\d+) item/, 'tooFew'],
  [/at most (\d+) item/, 'tooMany'],
  [/valid date/, 'date'],
  [/match pattern/, 'form'],
  [/^Input should be '/, 'choice'],
]

/** The word for a complaint and the number in it; null: there is none, let it speak itself. */
export function complaint(message: string): { word: Word | null; n: string } {
  for (const [pattern, word] of PATTERNS) {
    const found = pattern.exec(message)
    if (found !== null) return { word, n: found[1] ?? '' }
  }
  return { word: null, n: '' }
}
