/** What a planned test holds back and until when, and what its sheet says. */
import type {
  Alarm,
  Equipment,
  Permission,
  PlannedTest,
  RuleSummary,
  SheetRow,
} from '../client/types.ts'
import { isOfLifeSafety } from './alarms.ts'

/** ms from an alarm to the call, where nobody confirms. */
export const HELD_AT_MOST = 60_000
/** ms that a test runs at most. */
export const LONGEST = 8 * 3_600_000
/** ms that a test is planned for, unless somebody says otherwise. */
const USUAL = 2 * 3_600_000
const MINUTE = 60_000

export const PLANS: Permission = 'test.plan'
export const CONFIRMS: Permission = 'test.confirm'

/** Whether it takes the manager to plan a test of `equipment` that expects `rules`. */
export function isGrave(
  equipment: readonly Pick<Equipment, 'class'>[],
  rules: readonly RuleSummary[],
): boolean {
  return equipment.some(isOfLifeSafety) || rules.some(({ life_safety }) => life_safety)
}

export function isOver({ state }: Pick<PlannedTest, 'state'>): boolean {
  return state !== 'planned' && state !== 'running'
}

/** What a test has made of an alarm, for whoever looks. */
export interface Hold {
  /** `due`: its minute is over, and the call is on its way. */
  state: 'held' | 'due' | 'confirmed' | 'called'
  /** What is left of the minute: 0 to 1, and ms. */
  left: number
  remaining: number
}

type Tested = Pick<Alarm, 'planned_test' | 'held_until' | 'confirmed_by'>

/** What a test has made of `alarm` at `now` (ms since 1970); null: it is no test's. */
export function holdOf({ planned_test, held_until, confirmed_by }: Tested, now: number): Hold | null {
  if (!planned_test) return null
  if (confirmed_by) return { state: 'confirmed', left: 0, remaining: 0 }
  if (!held_until) return { state: 'called', left: 0, remaining: 0 }
  const remaining = Date.parse(held_until) - now
  if (remaining <= 0) return { state: 'due', left: 0, remaining: 0 }
  return { state: 'held', left: Math.min(1, remaining / HELD_AT_MOST), remaining }
}

export type RowState = 'came' | 'waiting' | 'missing' | 'undone'

/** Where a row of the sheet stands; a test that was called off judges nothing. */
export function rowState(row: SheetRow, test: Pick<PlannedTest, 'state'>): RowState {
  if (row.came_at) return 'came'
  if (test.state === 'cancelled') return 'undone'
  return isOver(test) ? 'missing' : 'waiting'
}

/** A piece of equipment under test: its part of the sheet, and what its alarms ask for. */
export interface Detector {
  equipment: string
  name: PlannedTest['equipment'][number]['equipment_name']
  rows: SheetRow[]
  /** The most pressing of its alarms; null: none is up. */
  hold: Hold | null
  alarm: Alarm | null
  confirmedBy: string | null
}

const PRESSING: readonly Hold['state'][] = ['held', 'due', 'called', 'confirmed']

/** The equipment of `test`, with `alarms` that are up, at `now` (ms since 1970). */
export function detectors(test: PlannedTest, alarms: Iterable<Alarm>, now: number): Detector[] {
  const mine = [...alarms].filter(({ planned_test, present }) => planned_test === test.id && present)
  return test.equipment.map(({ equipment, equipment_name, confirmed_by }) => {
    const [first] = mine
      .filter((alarm) => alarm.equipment === equipment)
      .flatMap((alarm) => {
        const hold = holdOf(alarm, now)
        return hold === null ? [] : [{ alarm, hold }]
      })
      .sort(
        (one, other) =>
          PRESSING.indexOf(one.hold.state) - PRESSING.indexOf(other.hold.state) ||
          one.hold.remaining - other.hold.remaining,
      )
    return {
      equipment,
      name: equipment_name,
      rows: test.sheet.filter((row) => row.equipment === equipment),
      hold: first?.hold ?? null,
      alarm: first?.alarm ?? null,
      confirmedBy: first?.alarm.confirmed_by ?? confirmed_by,
    }
  })
}

/** Why people were called although a test expected the alarm, as a word that the page has. */
const CALLS: readonly (readonly [RegExp, string])[] = [
  [/nobody confirmed it$/, 'unconfirmed'],
  [/the test is over$/, 'over'],
  [/still up at the end of the test$/, 'stillUp'],
  [/second detector, none is confirmed$/, 'second'],
  [/another alarm of the area is up$/, 'another'],
  [/it came more than a minute ago$/, 'late'],
  [/it calls again$/, 'again'],
  [/ came too$/, 'too'],
]

/** A note in the history of `test`: the row of the sheet that it names, and why people were called. */
export function noted(
  test: Pick<PlannedTest, 'sheet'>,
  note: string,
): { row: SheetRow | null; called: string | null } {
  const [equipment = '', rule = ''] = note.split(/:? /)
  const row = test.sheet.find((one) => one.equipment === equipment && one.rule === rule) ?? null
  return { row, called: CALLS.find(([pattern]) => pattern.test(note))?.[1] ?? null }
}

const ORDER: readonly PlannedTest['state'][] = ['running', 'planned']

/** What runs, then what is to come with the next first, then what is over with the last first. */
export function byTurn(one: PlannedTest, other: PlannedTest): number {
  const rank = ({ state }: PlannedTest): number =>
    ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length
  const later = Date.parse(one.starts_at) - Date.parse(other.starts_at)
  return rank(one) - rank(other) || (isOver(one) ? -later : later)
}

/** From now on, for the usual time; ms. Minutes are what the fields hold. */
export function usualTimes(now: number): { from: number; until: number } {
  const from = Math.floor(now / MINUTE) * MINUTE
  return { from, until: from + USUAL }
}

/** The rules that can be expected of `equipment`: of its classes, on points that it has. */
export function rulesFor(
  equipment: readonly Equipment[],
  rules: readonly RuleSummary[],
): RuleSummary[] {
  return rules.filter((rule) => equipment.some((thing) => judges(rule, thing)))
}

function judges(rule: RuleSummary, { id, class: kind, points }: Equipment): boolean {
  return rule.class === kind && points.some((point) => point.id === `${id}.${rule.point}`)
}

/**
 * What a test usually waits for: of each class its first rule about life safety, for a detector
 * that is set off reports one kind of event, and what does not come fails the test.
 */
export function usuallyExpected(rules: readonly RuleSummary[]): string[] {
  const found = new Map<string, RuleSummary>()
  for (const rule of rules) {
    const before = found.get(rule.class)
    if (before === undefined || (rule.life_safety && !before.life_safety)) found.set(rule.class, rule)
  }
  return [...found.values()].map(({ id }) => id)
}

/** The sheet as it is sent: of each piece of equipment those of `expected` that judge it. */
export function sheetOf(
  equipment: readonly Equipment[],
  rules: readonly RuleSummary[],
  expected: ReadonlySet<string>,
): { equipment: string; rules: string[] }[] {
  return equipment.map((thing) => ({
    equipment: thing.id,
    rules: rules.filter((rule) => expected.has(rule.id) && judges(rule, thing)).map(({ id }) => id),
  }))
}
