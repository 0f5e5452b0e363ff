/** The building's systems: which classes of equipment belong to each and what a tile says. */
import type { Equipment, Point, Reading, Quality } from '../client/types.ts'
import { seen, worse, type Seen } from './freshness.ts'

export type SystemId = 'power' | 'water' | 'lift' | 'fire' | 'lighting' | 'other'

const SYSTEM_OF: Readonly<Record<string, SystemId>> = {
  meter: 'power',
  single_phase_meter: 'power',
  breaker: 'power',
  power_room: 'power',
  booster: 'water',
  pump: 'water',
  drive: 'water',
  bearing: 'water',
  pump_room: 'water',
  sump: 'water',
  water_leak: 'water',
  lift: 'lift',
  fire_panel: 'fire',
  fire_detector: 'fire',
  fire_device: 'fire',
  fire_module: 'fire',
  fire_zone: 'fire',
  lamp: 'lighting',
  lighting_circuit: 'lighting',
  emergency_lamp: 'lighting',
  presence_sensor: 'lighting',
}

export const SYSTEMS: readonly SystemId[] = ['power', 'water', 'lift', 'fire', 'lighting', 'other']

/** Where equipment of this class belongs. */
export function systemOf(equipmentClass: string): SystemId {
  return SYSTEM_OF[equipmentClass] ?? 'other'
}

/** Keys of what is shown first: `main` says how a thing is doing, `state` whether it runs. */
export interface FirstPoints {
  state?: string | undefined
  main?: string | undefined
  /** In small beside them. */
  more?: readonly string[]
  /** Of these the value alone does not say of what it is. */
  named?: readonly string[]
}

/** By class of equipment. */
export const FIRST_POINTS: Readonly<Record<string, FirstPoints>> = {
  meter: { main: 'power', more: ['voltage_l1', 'current_l1', 'power_factor'], named: ['power_factor'] },
  breaker: { state: 'active' },
  power_room: { main: 'temperature', more: ['humidity'] },
  booster: { main: 'tank_level' },
  pump: { state: 'running', main: 'motor_temperature', more: ['speed', 'current', 'power'] },
  bearing: { main: 'temperature', more: ['vibration'] },
  pump_room: { main: 'temperature', more: ['humidity'] },
  sump: { state: 'active' },
  water_leak: { state: 'wet' },
  lift: { state: 'door_open', main: 'floor', more: ['speed'], named: ['door_open', 'floor'] },
  fire_panel: { main: 'panel_status', named: ['panel_status'] },
  fire_detector: { state: 'event_type' },
  lamp: { state: 'output', main: 'power', more: ['voltage', 'current', 'brightness'] },
  lighting_circuit: { state: 'output' },
}

/** The points that are shown first of `thing`, as far as it has them; never none of all. */
export function firstPoints({ class: kind, points }: Pick<Equipment, 'class' | 'points'>): Point[] {
  const { state, main, more = [] } = FIRST_POINTS[kind] ?? {}
  const found = [state, main, ...more].flatMap(
    (key) => points.find((point) => point.key === key) ?? [],
  )
  return found.length > 0 ? found : points.slice(0, 1)
}

/** Flags that say what goes on, where 0 and 1 are both well, by class of equipment. */
const WORKING: Readonly<Record<string, readonly string[]>> = {
  lamp: ['output'],
  lift: ['going_up', 'going_down', 'level', 'door_open', 'person'],
  lighting_circuit: ['output', 'feedback'],
  pump: ['running', 'remote'],
}
/** Fewer than so many stay in sight. */
const FEW = 3

/**
 * `points` as a list has them: the alarmed first, then what is measured, then the other flags;
 * `normal` are the flags that say nothing: 0, known, and not of what goes on.
 */
export function sorted(
  { class: kind, points }: Pick<Equipment, 'class' | 'points'>,
  alarmed: (point: Point) => boolean,
  seen: (point: Point) => Seen,
): { shown: Point[]; normal: Point[] } {
  const first = FIRST_POINTS[kind]
  const working = [...(WORKING[kind] ?? []), first?.state, first?.main]
  const quiet = points.filter(
    (point) =>
      (point.kind === 'flag' || point.kind === 'state') &&
      !working.includes(point.key) &&
      !alarmed(point) &&
      seen(point).quality === 'good' &&
      seen(point).value === 0,
  )
  const normal = quiet.length < FEW ? [] : quiet
  const rank = (point: Point): number => (alarmed(point) ? 0 : point.kind === 'number' ? 1 : 2)
  return {
    shown: points
      .filter((point) => !normal.includes(point))
      .toSorted((one, other) => rank(one) - rank(other)),
    normal,
  }
}

export interface System {
  id: SystemId
  equipment: Equipment[]
}

/** The systems that this site has, in the usual order. */
export function systems(equipment: readonly Equipment[]): System[] {
  return SYSTEMS.map((id) => ({
    id,
    equipment: equipment.filter((thing) => systemOf(thing.class) === id),
  })).filter((system) => system.equipment.length > 0)
}

/** One figure of a tile, drawn from several pieces of equipment. */
interface Figure {
  /** Key of its name among the messages. */
  name:
    | 'load'
    | 'voltage'
    | 'tank'
    | 'running'
    | 'hottest'
    | 'occupied'
    | 'doors'
    | 'trouble'
    | 'disabled'
    | 'lit'
    | 'power'
  classes: readonly string[]
  key: string
  how: 'first' | 'count' | 'max' | 'sum'
}

const FIGURES: Readonly<Partial<Record<SystemId, readonly Figure[]>>> = {
  power: [
    { name: 'load', classes: ['meter'], key: 'power', how: 'sum' },
    { name: 'voltage', classes: ['meter'], key: 'voltage_l1', how: 'first' },
  ],
  water: [
    { name: 'tank', classes: ['booster'], key: 'tank_level', how: 'first' },
    { name: 'running', classes: ['pump'], key: 'running', how: 'count' },
    { name: 'hottest', classes: ['pump'], key: 'motor_temperature', how: 'max' },
  ],
  lift: [
    { name: 'occupied', classes: ['lift'], key: 'person', how: 'count' },
    { name: 'doors', classes: ['lift'], key: 'door_open', how: 'count' },
  ],
  fire: [
    { name: 'trouble', classes: ['fire_detector'], key: 'trouble', how: 'count' },
    { name: 'disabled', classes: ['fire_detector'], key: 'disabled', how: 'count' },
  ],
  lighting: [
    { name: 'lit', classes: ['lamp', 'lighting_circuit'], key: 'output', how: 'count' },
    { name: 'power', classes: ['lamp'], key: 'power', how: 'sum' },
  ],
}

export interface TileFigure {
  name: Figure['name']
  value: number | null
  unit: string
  decimals: number
  quality: Quality
}

/** A figure with the points that it is drawn from; never none. */
interface FigureOf {
  wanted: Figure
  points: readonly [Point, ...Point[]]
}

/** What each figure of a system's tile is drawn from. */
export function figurePoints(system: System): FigureOf[] {
  return (FIGURES[system.id] ?? []).flatMap((wanted) => {
    const [first, ...rest] = system.equipment
      .filter((thing) => wanted.classes.includes(thing.class))
      .flatMap((thing) => thing.points.filter((point) => point.key === wanted.key))
    return first === undefined ? [] : [{ wanted, points: [first, ...rest] as const }]
  })
}

/** The figures of a system's tile at `now` (ms); of several readings the worst quality counts. */
export function tileFigures(
  drawn: readonly FigureOf[],
  readings: ReadonlyMap<string, Reading>,
  now: number,
): TileFigure[] {
  return drawn.map(({ wanted, points }) => {
    const [first] = points
    const all = points.map((point) => seen(readings.get(point.id), now))
    const values = all.flatMap(({ value }) => (value === null ? [] : [value]))
    return {
      name: wanted.name,
      value: values.length === 0 ? null : combined(wanted.how, values),
      unit: wanted.how === 'count' ? '' : first.unit,
      decimals: Math.min(first.decimals, 1),
      quality: all.map(({ quality }) => quality).reduce(worse, 'good'),
    }
  })
}

/** Their bits are flags: as numbers they say nothing. */
const BITS: readonly string[] = ['panel_status', 'sensor_faults']

/** The point that says most of a system over time; undefined: it measures nothing. */
export function leading({ id, equipment }: System): Point | undefined {
  for (const { classes, key, how } of FIGURES[id] ?? []) {
    if (how === 'count') continue
    const thing = equipment.find((one) => classes.includes(one.class))
    const point = thing?.points.find((one) => one.key === key && one.kind === 'number')
    if (point !== undefined) return point
  }
  const measured = ({ kind, key, low }: Point): boolean =>
    kind === 'number' && low !== null && !BITS.includes(key)
  const first = equipment.flatMap((thing) => firstPoints(thing)).find(measured)
  return first ?? equipment.flatMap(({ points }) => points).find(measured)
}

function combined(how: Figure['how'], values: readonly number[]): number {
  switch (how) {
    case 'first':
      return values[0] ?? 0
    case 'count':
      return values.filter((value) => value !== 0).length
    case 'max':
      return Math.max(...values)
    case 'sum':
      return values.reduce((total, value) => total + value, 0)
  }
}

/** What belongs to the one-line diagram: what measures and breaks, what feeds, and what is fed. */
export function feeders(equipment: readonly Equipment[]): Equipment[] {
  return equipment.filter(
    ({ class: kind, supplies, supplied_by }) =>
      OF_SUPPLY.includes(kind) || supplies.length > 0 || supplied_by !== null,
  )
}

/** Classes that are drawn there though nothing is known to hang on them. */
export const OF_SUPPLY: readonly string[] = ['meter', 'single_phase_meter', 'breaker']

/** A pump set: what shares its link and place. */
export interface PumpSet {
  id: string
  area: string
  booster: Equipment | undefined
  pumps: Equipment[]
}

/** The pump sets among `equipment`. */
export function setsOf(equipment: readonly Equipment[]): PumpSet[] {
  const found = new Map<string, PumpSet>()
  for (const thing of equipment) {
    if (thing.class !== 'pump' && thing.class !== 'booster') continue
    const id = `${thing.link} ${thing.area}`
    const set = found.get(id) ?? { id, area: thing.area, booster: undefined, pumps: [] }
    if (thing.class === 'pump') set.pumps.push(thing)
    else set.booster ??= thing
    found.set(id, set)
  }
  return [...found.values()].filter(({ pumps }) => pumps.length > 0)
}

/** Every fire panel with what hangs on it. */
export function panelsOf(
  equipment: readonly Equipment[],
): { panel: Equipment; detectors: Equipment[] }[] {
  return equipment
    .filter((thing) => thing.class === 'fire_panel')
    .map((panel) => ({
      panel,
      detectors: equipment.filter(
        (thing) => thing.class === 'fire_detector' && thing.behind === panel.id,
      ),
    }))
}
