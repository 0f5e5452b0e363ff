/** Lamps and lighting circuits: what state one is in. */

export const LAMP_STATES = ['dark', 'unknown', 'lit', 'off'] as const
export type LampState = (typeof LAMP_STATES)[number]

/** Of a lamp: what is known now of its points by key (null: not), and whether it has one. */
export interface LampSeen {
  known: (key: string) => number | null
  has: (key: string) => boolean
  /** W; at this or below, its rules call it dark. */
  dark: number
}

/** Whether its contact is closed; a contactor says itself whether it closed, else as it was told. */
export function closed({ known, has }: LampSeen): number | null {
  return known(has('feedback') ? 'feedback' : 'output')
}

/** Dark is what was switched on and gives no light. */
export function lampState(lamp: LampSeen): LampState {
  const contact = closed(lamp)
  const power = lamp.known('power')
  if (contact === null || (lamp.has('power') && power === null)) return 'unknown'
  if (contact === 0) return lamp.known('output') ? 'dark' : 'off'
  return power !== null && power <= lamp.dark ? 'dark' : 'lit'
}
