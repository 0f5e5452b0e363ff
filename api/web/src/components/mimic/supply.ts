/** What the pictures know of supply: whether a thing is live, and how what it feeds is doing. */
import type { Equipment } from '@/client/types'
import { FIRST_POINTS } from '@/model/systems'
import { useSite } from '@/stores/site'
import { useWords } from '@/words'
import type { DrawnBranch } from './MimicBranch.vue'
import { useSeen } from './seen'

export const PHASES = ['l1', 'l2', 'l3'] as const
/** Points of equipment that runs or does not. */
const RUNS = ['running', 'output']

export function useSupply() {
  const site = useSite()
  const { text } = useWords()
  const { known, ofPoint, point, tone, alarm } = useSeen()

  /** A phase carries nothing below its lowest limit, where its rules call it lost; null: not known. */
  function phaseLive(thing: Equipment, phase: string): boolean | null {
    const volts = known(thing, `voltage_${phase}`)
    const limits = point(thing, `voltage_${phase}`)?.limits ?? []
    const lost = Math.min(...limits.flatMap(({ below }) => (typeof below === 'number' ? [below] : [])))
    return volts === null ? null : volts > (Number.isFinite(lost) ? lost : 0)
  }

  /** What its own voltage says; undefined: it measures none. */
  function measured(thing: Equipment): boolean | null | undefined {
    const phases = PHASES.filter((phase) => point(thing, `voltage_${phase}`) !== undefined)
    if (phases.length === 0) return undefined
    const live = phases.map((phase) => phaseLive(thing, phase))
    if (live.some((on) => on)) return true
    return live.every((on) => on === false) ? false : null
  }

  /**
   * Whether there is voltage behind `thing`; null: not known. A breaker that tripped cuts it; one
   * that did not trip may still be switched off.
   */
  function isLive(thing: Equipment, seen: ReadonlySet<string> = new Set()): boolean | null {
    const own = measured(thing)
    if (own !== undefined) return own
    if (thing.class === 'breaker' && known(thing, 'active') === 1) return false
    const feeder = thing.supplied_by === null ? undefined : site.byId.get(thing.supplied_by)
    if (feeder === undefined || seen.has(thing.id)) return null
    const behind = isLive(feeder, new Set([...seen, thing.id]))
    return thing.class === 'breaker' && behind === true ? null : behind
  }

  /** How `thing` is doing behind a feeder that is `live`. */
  function branch(thing: Equipment, live: boolean | null): DrawnBranch {
    const { state, main } = FIRST_POINTS[thing.class] ?? {}
    const runs = state !== undefined && RUNS.includes(state) ? point(thing, state) : undefined
    const shown = runs ?? point(thing, main ?? '') ?? point(thing, state ?? '')
    const unnamed = shown !== undefined && shown.kind === 'number' && shown.unit === ''
    return {
      equipment: thing,
      on: live === null ? null : live && (runs === undefined || known(thing, runs.key) === 1),
      name: unnamed ? text(shown.name) : '',
      words: shown === undefined ? null : ofPoint(shown, 0),
      tone: tone(thing.id),
      trouble: text(alarm(thing.id)?.name),
    }
  }

  return { phaseLive, isLive, branch }
}
