/** The one-line diagram: what feeds what, and where each thing stands in the drawing. */

/** What the diagram needs of equipment: who it is and what feeds it. */
export interface Fed {
  id: string
  supplied_by: string | null
}

/** A thing, and what hangs on it. */
export interface Node<Thing> {
  thing: Thing
  children: Node<Thing>[]
}

/** A node with its place, px. */
export interface Laid<Thing> {
  thing: Thing
  depth: number
  x: number
  y: number
  /** Room for its words, px. */
  room: number
  /** What feeds it, by id; null: nothing that is known. */
  feeder: string | null
  children: readonly string[]
}

export interface Layout<Thing> {
  nodes: Laid<Thing>[]
  width: number
  height: number
}

/**
 * The trees of `things`: each whose feeder is none of them begins one, if it feeds something or
 * `alone` says that it belongs there all the same. Things that feed each other in a ring are left out.
 */
export function forest<Thing extends Fed>(
  things: readonly Thing[],
  alone: (thing: Thing) => boolean,
): Node<Thing>[] {
  const known = new Set(things.map(({ id }) => id))
  const fed = new Map<string, Thing[]>()
  for (const thing of things) {
    if (thing.supplied_by === null || !known.has(thing.supplied_by)) continue
    fed.set(thing.supplied_by, [...(fed.get(thing.supplied_by) ?? []), thing])
  }
  const node = (thing: Thing): Node<Thing> => ({
    thing,
    children: (fed.get(thing.id) ?? []).map(node),
  })
  return things
    .filter(({ supplied_by }) => supplied_by === null || !known.has(supplied_by))
    .filter((thing) => fed.has(thing.id) || alone(thing))
    .map(node)
}

/** How many end points a tree has: so many stand side by side. */
export function ends<Thing>(node: Node<Thing>): number {
  return node.children.length === 0 ? 1 : node.children.reduce((sum, child) => sum + ends(child), 0)
}

/** px */
export interface Measures {
  /** From the middle of an end point to the next; one under the other: how much further in. */
  step: number
  /** From a level to the next. */
  level: number
  /** From the edge to the first, and from the last to the other edge. */
  top: number
  bottom: number
}

/** Side by side: every level on its line, a feeder above the middle of what it feeds. */
export function across<Thing extends Fed>(
  trees: readonly Node<Thing>[],
  { step, level, top, bottom }: Measures,
): Layout<Thing> {
  const nodes: Laid<Thing>[] = []
  let next = 0
  let deepest = 0
  function lay({ thing, children }: Node<Thing>, depth: number): number {
    deepest = Math.max(deepest, depth)
    const place = nodes.length
    nodes.push({
      thing,
      depth,
      x: 0,
      y: top + depth * level,
      room: step,
      feeder: depth === 0 ? null : thing.supplied_by,
      children: children.map((child) => child.thing.id),
    })
    let x: number
    if (children.length === 0) {
      x = (next + 0.5) * step
      next += 1
    } else {
      const start = next
      const places = children.map((child) => lay(child, depth + 1))
      // A feeder's words stand at its right, where the wire leaves them room.
      next = Math.max(next, start + 2)
      x = ((places[0] ?? 0) + (places.at(-1) ?? 0)) / 2
    }
    const laid = nodes[place]
    if (laid !== undefined) laid.x = x
    return x
  }
  for (const tree of trees) lay(tree, 0)
  return { nodes, width: next * step, height: top + deepest * level + bottom }
}

/** One under the other, what is fed a little further in: for narrow screens and long lists. */
export function down<Thing extends Fed>(
  trees: readonly Node<Thing>[],
  { step, level, top, bottom }: Measures,
  width: number,
): Layout<Thing> {
  const nodes: Laid<Thing>[] = []
  function lay({ thing, children }: Node<Thing>, depth: number): void {
    const x = top + step * depth
    nodes.push({
      thing,
      depth,
      x,
      y: top + nodes.length * level,
      room: width - x - top,
      feeder: depth === 0 ? null : thing.supplied_by,
      children: children.map((child) => child.thing.id),
    })
    for (const child of children) lay(child, depth + 1)
  }
  for (const tree of trees) lay(tree, 0)
  return { nodes, width, height: top + (nodes.length - 1) * level + bottom }
}
