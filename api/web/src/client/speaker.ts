/** Sounds by Web Audio: made of notes, so that nothing is fetched. */
import type { Note } from '../model/sounds'

/** s in which a note swells and fades; at once, it would click. */
const EDGE = 0.012
/** Of the wave forms: a square one is louder than a sine of the same height. */
const STRENGTH: Partial<Record<OscillatorType, number>> = { square: 0.35, triangle: 0.9 }
/** After these the browser may let a page sound. */
const GESTURES = ['pointerdown', 'pointerup', 'keydown'] as const

export class Speaker {
  private readonly context = new AudioContext()

  /** `changed` is told whenever the browser lets the page sound, or does so no more. */
  constructor(changed: (able: boolean) => void) {
    this.context.addEventListener('statechange', () => changed(this.able))
    for (const gesture of GESTURES) document.addEventListener(gesture, this.wake, true)
    this.wake()
  }

  get able(): boolean {
    return this.context.state === 'running'
  }

  /** Ask the browser for leave to sound; without a gesture before, it gives none. */
  readonly wake = (): void => {
    if (!this.able) void this.context.resume().catch(() => undefined)
  }

  /** Play `notes` now, at `volume` (0 to 1). */
  play(notes: readonly Note[], volume: number): void {
    this.wake()
    const start = this.context.currentTime + 0.02
    for (const { at, lasts, hertz, wave } of notes) {
      const begins = start + at
      const ends = begins + lasts
      const level = volume * (STRENGTH[wave] ?? 1)
      const gain = this.context.createGain()
      gain.gain.setValueAtTime(0, begins)
      gain.gain.linearRampToValueAtTime(level, begins + EDGE)
      gain.gain.setValueAtTime(level, ends - EDGE)
      gain.gain.linearRampToValueAtTime(0, ends)
      const note = this.context.createOscillator()
      note.type = wave
      note.frequency.value = hertz
      note.connect(gain).connect(this.context.destination)
      note.start(begins)
      note.stop(ends)
    }
  }
}
