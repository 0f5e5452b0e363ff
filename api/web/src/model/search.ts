/** Finding equipment: by words, and by where it belongs. */

/** What is searched of equipment, lower case and joined; ids of things and of areas are words too. */
export function searched(words: readonly (string | null | undefined)[]): string {
  return words.filter((word) => word).join('\n').toLowerCase()
}

/** Every word of `asked` is in `searched` somewhere. */
export function matches(searched: string, asked: string): boolean {
  return asked
    .toLowerCase()
    .split(/\s+/)
    .every((word) => searched.includes(word))
}

export type By = 'system' | 'area'

/** A branch of the tree of equipment, and what it divides into. */
export interface Group<Thing> {
  /** Unique in the tree: `water`, `water/b1-pump-room`. */
  id: string
  things: Thing[]
  parts: Group<Thing>[]
}

/**
 * `things` in groups by the first of `keys`, each in groups by the next; groups stand as `order`
 * says (one list a key), what is not in it comes last.
 */
export function grouped<Thing>(
  things: readonly Thing[],
  keys: readonly ((thing: Thing) => string)[],
  order: readonly (readonly string[])[],
  above = '',
): Group<Thing>[] {
  const [key, ...rest] = keys
  const [known = [], ...others] = order
  if (key === undefined) return []
  const found = new Map<string, Thing[]>()
  for (const thing of things) found.set(key(thing), [...(found.get(key(thing)) ?? []), thing])
  const rank = (name: string): number => (known.includes(name) ? known.indexOf(name) : known.length)
  return [...found]
    .toSorted(([one], [other]) => rank(one) - rank(other))
    .map(([name, mine]) => ({
      id: above + name,
      things: mine,
      parts: grouped(mine, rest, others, `${above}${name}/`),
    }))
}
