/** What the pictures know of equipment and how they write it. */
import type { Equipment, Point, Priority } from '@/client/types'
import type { LampSeen } from '@/model/lamps'
import { worstPresent } from '@/model/ranking'
import { useLive } from '@/stores/live'
import { useWords } from '@/words'

export type Size = 'narrow' | 'medium' | 'wide'

/** A value as a picture writes it. */
export interface Words {
  words: string
  /** It is of the past: to be struck through. */
  past: boolean
  /** The worst of what is wrong with the point; null: nothing is. */
  tone: Priority | null
}

const NO_WORDS: Words = { words: '', past: false, tone: null }

export function useSeen() {
  const live = useLive()
  const { value } = useWords()

  const point = (thing: Equipment | undefined, key: string): Point | undefined =>
    thing?.points.find((found) => found.key === key)

  /** Its present value; null where there is none or it is of the past. */
  function known(thing: Equipment | undefined, key: string): number | null {
    const found = point(thing, key)
    if (found === undefined) return null
    const shown = live.seen(found.id)
    return shown.past ? null : shown.value
  }

  /** A lamp as its state is judged by; its rules say below which power (W) it is dark. */
  function lamp(thing: Equipment): LampSeen {
    const limits = point(thing, 'power')?.limits ?? []
    return {
      known: (key) => known(thing, key),
      has: (key) => point(thing, key) !== undefined,
      dark: limits.find(({ below }) => typeof below === 'number')?.below ?? 0,
    }
  }

  function ofPoint(found: Point, decimals = 1): Words {
    const shown = live.seen(found.id)
    const written = value(found, shown, decimals)
    const mine = live.urgent.filter((alarm) => alarm.point === found.id)
    return {
      words: written.unit === '' ? written.figure : `${written.figure} ${written.unit}`,
      past: shown.past,
      tone: shown.past ? null : worstPresent(mine),
    }
  }

  return {
    point,
    known,
    lamp,
    ofPoint,
    /** The value of a point by key; without words where there is no such point. */
    words: (thing: Equipment | undefined, key: string, decimals = 1): Words => {
      const found = point(thing, key)
      return found === undefined ? NO_WORDS : ofPoint(found, decimals)
    },
    /** The worst that is wrong with it now. */
    tone: (id: string): Priority | null =>
      worstPresent(live.urgent.filter(({ equipment }) => equipment === id)),
    /** Its most urgent alarm whose condition is there. */
    alarm: (id: string) =>
      live.urgent.find(({ equipment, present }) => present && equipment === id),
  }
}
