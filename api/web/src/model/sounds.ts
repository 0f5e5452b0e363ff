/** Which sound the alarms ask for, and when it sounds again. */
import type { Alarm, Priority } from '../client/types.ts'
import { waits } from './alarms.ts'

/** The worst first: what sounds covers all that is behind it. `lost`: the page has no source. */
export const SOUNDS = ['critical', 'lost', 'major', 'minor'] as const
export type Sound = (typeof SOUNDS)[number]

/** ms without a word from the server until that is to be heard too. */
export const LOST_AFTER = 20_000

/** One note of a sound: when and how long (s), how high (Hz), and how sharp. */
export interface Note {
  at: number
  lasts: number
  hertz: number
  wave: OscillatorType
}

/** One after the other, with `pause` s between them. */
function notes(wave: OscillatorType, lasts: number, pause: number, pitches: number[]): Note[] {
  return pitches.map((hertz, index) => ({ at: index * (lasts + pause), lasts, hertz, wave }))
}

/** Between 500 and 1000 Hz, which a small loudspeaker gives and old ears still hear. */
export const NOTES: Readonly<Record<Sound, readonly Note[]>> = {
  critical: notes('square', 0.2, 0.06, [960, 760, 960, 760, 960, 760]),
  major: notes('triangle', 0.22, 0.14, [660, 660]),
  minor: notes('sine', 0.4, 0, [540]),
  lost: notes('triangle', 0.3, 0.05, [780, 620, 500]),
}

/** ms from one sounding to the next while somebody is still called; null: it sounds once. */
const EVERY: Readonly<Record<Sound, number | null>> = {
  critical: 2500,
  lost: 20_000,
  major: 30_000,
  minor: null,
}
/** ms; what comes up in between sounds together. */
const APART = 5000

/** Who calls, by the sound they ask for. */
export type Calls = Readonly<Record<Sound, ReadonlySet<string>>>

const SOUND_OF: Readonly<Record<Priority, Sound | null>> = {
  critical: 'critical',
  major: 'major',
  minor: 'minor',
  info: null,
}

/** What `alarms` ask for: all that nobody has seen yet; an alarm that comes up again asks anew. */
export function callsOf(alarms: Iterable<Alarm>): Calls {
  const found = { critical: new Set(), lost: new Set(), major: new Set(), minor: new Set() } as
    Record<Sound, Set<string>>
  for (const alarm of alarms) {
    const sound = SOUND_OF[alarm.priority]
    if (sound !== null && waits(alarm)) found[sound].add(`${alarm.id} ${alarm.count}`)
  }
  return found
}

/** `calls` as they are heard: `lost` as well where the source is gone, and where somebody asked for
 * `quiet`, critical and `lost` only. */
export function heard(calls: Calls, { lost, quiet }: { lost: boolean; quiet: boolean }): Calls {
  return {
    critical: calls.critical,
    lost: lost ? new Set(['']) : NOBODY,
    major: quiet ? NOBODY : calls.major,
    minor: quiet ? NOBODY : calls.minor,
  }
}

const NOBODY: ReadonlySet<string> = new Set()

/** What has sounded: for whom, and when (ms) each sound did last. */
export interface Sounded {
  readonly known: ReadonlySet<string>
  readonly last: Readonly<Partial<Record<Sound, number>>>
}

export const SILENT: Sounded = { known: new Set(), last: {} }

/** The sound that is due at `now` (ms), if any, and what has sounded with it. */
export function due(before: Sounded, calls: Calls, now: number): [Sound | null, Sounded] {
  const keyOf = (sound: Sound, call: string): string => `${sound} ${call}`
  // Whoever calls no more is forgotten, and is new when they call again.
  const known = new Set<string>()
  for (const sound of SOUNDS) {
    for (const call of calls[sound]) {
      const key = keyOf(sound, call)
      if (before.known.has(key)) known.add(key)
    }
  }
  const sound = SOUNDS.find((one) => {
    const every = EVERY[one]
    return calls[one].size > 0 && (every !== null || isNew(one))
  })
  function isNew(one: Sound): boolean {
    return [...calls[one]].some((call) => !known.has(keyOf(one, call)))
  }
  if (sound === undefined || !isDue(sound)) return [null, { known, last: before.last }]
  for (const call of calls[sound]) known.add(keyOf(sound, call))
  return [sound, { known, last: { ...before.last, [sound]: now } }]

  function isDue(one: Sound): boolean {
    const since = now - (before.last[one] ?? -Infinity)
    const every = EVERY[one] ?? Infinity
    return since >= every || (since >= APART && isNew(one))
  }
}
