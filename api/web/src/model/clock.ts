/** The server's time on the page, from the `now` of its messages. */

interface Sample {
  /** Server time minus page time, ms. */
  offset: number
  heard: number
}

/** How long a sample counts, ms. */
const WINDOW = 30_000

/**
 * A message that was held up on its way makes the server's clock look slow, never fast, so the
 * largest offset of the last half minute is the nearest to the truth.
 *
 * The page's time is any steadily rising count of ms; it is an argument.
 */
export class ServerClock {
  private samples: Sample[] = []
  private offset: number

  /** `offset`: server time minus page time to begin with, ms. */
  constructor(offset: number) {
    this.offset = offset
  }

  /** Take the server's `now` (ms since 1970), heard at page time `heard` (ms). */
  hear(now: number, heard: number): void {
    this.samples = this.samples.filter((sample) => heard - sample.heard < WINDOW)
    this.samples.push({ offset: now - heard, heard })
    this.offset = Math.max(...this.samples.map((sample) => sample.offset))
  }

  /** The server's time (ms since 1970) at page time `at` (ms). */
  at(at: number): number {
    return at + this.offset
  }
}
