/** Fire detectors: what state one is in, and how a picture has them stand by their areas. */

/** Of the points of a detector by key; null: not known now. */
export type Known = (key: string) => number | null

export const DETECTOR_STATES = [
  'active',
  'prealarm',
  'trouble',
  'disabled',
  'unknown',
  'normal',
] as const
export type DetectorState = (typeof DETECTOR_STATES)[number]

const FLAGS = ['active', 'prealarm', 'trouble', 'disabled'] as const

/** The worst that is known; unknown where a flag that would make it worse is not known. */
export function detectorState(known: Known): DetectorState {
  const set = FLAGS.find((key) => known(key) === 1)
  if (set !== undefined) return set
  return FLAGS.some((key) => known(key) === null) ? 'unknown' : 'normal'
}

/** Things of one area. */
export interface Zone<Thing> {
  area: string
  things: Thing[]
}

/** `things` by area, both in the order in which the site names them. */
export function zones<Thing extends { area: string }>(things: readonly Thing[]): Zone<Thing>[] {
  const found = new Map<string, Thing[]>()
  for (const thing of things) found.set(thing.area, [...(found.get(thing.area) ?? []), thing])
  return [...found].map(([area, things]) => ({ area, things }))
}

/** A thing with its height, put somewhere. */
export interface Placed<Item> {
  item: Item
  column: number
  y: number
}

/** Items one under the other in `columns`, each where there is most room; with the height. */
export function stacked<Item>(
  items: readonly Item[],
  heightOf: (item: Item) => number,
  columns: number,
  gap: number,
): { placed: Placed<Item>[]; height: number } {
  const ends = Array.from({ length: columns }, () => 0)
  const placed = items.map((item) => {
    const column = ends.indexOf(Math.min(...ends))
    const y = ends[column] ?? 0
    ends[column] = y + heightOf(item) + gap
    return { item, column, y }
  })
  return { placed, height: Math.max(0, Math.max(...ends) - gap) }
}
