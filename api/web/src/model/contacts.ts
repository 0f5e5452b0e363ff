/** Contacts that stand for something: what they say in the words of that, not of a wire. */
import type { Equipment, Text } from '../client/types.ts'

/** Class → what an open and a closed contact mean. A contact closes when something is wrong. */
const MEANING: Readonly<Record<string, Readonly<Record<string, Text>>>> = {
  breaker: {
    0: { zh: '未脱扣', en: 'Not tripped' },
    1: { zh: '已脱扣', en: 'Tripped' },
  },
  sump: {
    0: { zh: '水位正常', en: 'Below float' },
    1: { zh: '高水位', en: 'Flooded' },
  },
}

/**
 * `thing` with the words of its class for its contact: 断开 beside a breaker would read as if the
 * breaker were open.
 */
export function withMeaning(thing: Equipment): Equipment {
  const states = MEANING[thing.class]
  if (states === undefined) return thing
  return {
    ...thing,
    points: thing.points.map((point) => (point.key === 'active' ? { ...point, states } : point)),
  }
}
