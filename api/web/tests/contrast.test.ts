import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** The least contrast of words, and of large words and of marks that carry a meaning (WCAG AA). */
const WORDS = 4.5
const MARKS = 3

const css = readFileSync(
  fileURLToPath(new URL('../src/styles/tokens.css', import.meta.url)),
  'utf8',
)

function tokens(theme: string): Map<string, string> {
  const block = new RegExp(`:root\\[data-theme='${theme}'\\] \\{([^}]*)\\}`).exec(css)?.[1] ?? ''
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name = '', hex = '']) => [name, hex]),
  )
}

/** Relative luminance of `#rrggbb`. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(one: string, other: string): number {
  const [high = 0, low = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (high + 0.05) / (low + 0.05)
}

const TONES = ['critical', 'major', 'minor', 'info', 'returned']
const GROUNDS = ['bg', 'panel', 'inset', ...TONES.map((tone) => `${tone}-soft`)]
/** Words on what they stand on. */
const TEXTS: [string, string[]][] = [
  ['ink', [...GROUNDS, 'accent-soft', 'track']],
  ['mute', GROUNDS],
  ['accent', ['bg', 'panel', 'inset', 'accent-soft']],
  ['on-accent', ['accent']],
  ['nav-ink', ['nav', 'nav-on']],
  ['nav-strong', ['nav', 'nav-on']],
  ['nav-accent', ['nav', 'nav-on']],
  ...TONES.map((tone): [string, string[]] => [
    `${tone}-ink`,
    ['bg', 'panel', 'inset', `${tone}-soft`],
  ]),
]
/** Shapes, rings and marks: of the tone on whatever they lie on. */
const SHAPES: [string, string[]][] = TONES.map((tone) => [tone, ['bg', 'panel', `${tone}-soft`]])

for (const theme of ['day', 'night']) {
  test(`by ${theme} every word and every mark stands out from what it is on`, () => {
    const known = tokens(theme)
    const colour = (name: string): string => known.get(name) ?? assert.fail(`no ${name} by ${theme}`)
    const faint: string[] = []
    for (const [pairs, least] of [[TEXTS, WORDS], [SHAPES, MARKS]] as const) {
      for (const [front, grounds] of pairs) {
        for (const ground of grounds) {
          const found = contrast(colour(front), colour(ground))
          if (found < least) faint.push(`${front} on ${ground}: ${found.toFixed(2)} < ${least}`)
        }
      }
    }
    assert.deepEqual(faint, [])
  })
}

test('the contrast is that of WCAG', () => {
  assert.equal(contrast('#000000', '#ffffff'), 21)
  assert.equal(contrast('#777777', '#ffffff').toFixed(2), '4.48')
})
