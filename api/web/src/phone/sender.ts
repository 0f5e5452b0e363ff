/** Sends what a phone has kept, one thing after the other, until nothing is left or it does not go on. */
import type { Keeper } from './keeper.ts'
import { next, settled, type Entry, type Photo, type Result } from './queue.ts'

/** Where it goes; a call that fails says its `status`, 0 where no answer came. */
export interface Server {
  entries(by: string, entries: readonly Entry[]): Promise<{ received_at: string; results: Result[] }>
  photo(photo: Photo, file: Blob): Promise<{ received_at: string; result: Result }>
}

/** `empty`: all is sent; `later`: it did not go on; `stranger`: the server knows this phone as another. */
export type Passed = 'empty' | 'later' | 'stranger'

function statusOf(error: unknown): number {
  const { status } = error as { status?: unknown }
  return typeof status === 'number' ? status : 0
}

/** Whether the log-in is over, or by now another person's. */
function isStranger(error: unknown): boolean {
  const { kind } = error as { kind?: unknown }
  return statusOf(error) === 401 || kind === 'other-person'
}

/**
 * What the server will not take however often it is sent. Not among them: 403 and 409, which are
 * about who sends it and how much waits already, and may be otherwise tomorrow.
 */
const FINAL: readonly number[] = [400, 413, 415, 422]
/** Why no photograph would be taken now, whichever it is. */
const OF_ALL: readonly number[] = [0, 401, 403, 429, 502, 503, 504, 507]

function isFinal(error: unknown): boolean {
  return FINAL.includes(statusOf(error)) && !isStranger(error)
}

function refusal(error: unknown): Pick<Entry, 'state' | 'said'> {
  const detail = error instanceof Error && error.message !== '' ? error.message : null
  const said = { reason: 'not_understood', detail: detail ?? String(statusOf(error)), theirs: null }
  return { state: 'refused', said }
}

export class Sender {
  /** Of the call at which the last pass did not go on, 0 where no answer came; null: there was none. */
  status: number | null = null
  private readonly keeper: Keeper
  private readonly server: Server

  constructor(keeper: Keeper, server: Server) {
    this.keeper = keeper
    this.server = server
  }

  /** Send all that `by` has written. What is in doubt is sent again with its own id. */
  async pass(by: string): Promise<Passed> {
    /** One that the server stumbles over holds up no other one. */
    const aside = new Set<string>()
    this.status = null
    try {
      for (;;) {
        const due = next(await this.keeper.entries(by), await this.keeper.photos(by), aside)
        if (due === null) return aside.size > 0 ? 'later' : 'empty'
        if (due.what === 'entries') {
          if (!(await this.entries(by, due.entries))) return 'later'
        } else if (!(await this.photo(due.photo))) aside.add(due.photo.id)
      }
    } catch (error) {
      this.status = statusOf(error)
      return isStranger(error) ? 'stranger' : 'later'
    }
  }

  private async entries(by: string, entries: readonly Entry[]): Promise<boolean> {
    // In the meantime one may have been exchanged for another answer.
    const there = await this.keeper.begin(entries.map(({ id }) => id))
    const going = entries.filter(({ id }) => there.includes(id))
    if (going.length === 0) return true
    try {
      const { received_at, results } = await this.server.entries(by, going)
      const said = results.filter(({ id }) => there.includes(id))
      for (const result of said) await this.keeper.change(result.id, settled(result, received_at))
      return said.length > 0
    } catch (error) {
      if (!isFinal(error)) throw error
      return this.apart(by, going, error)
    }
  }

  /** The whole was not understood: one by one, so that a single one does not hold up the others. */
  private async apart(by: string, entries: readonly Entry[], error: unknown): Promise<boolean> {
    const [only] = entries
    if (only !== undefined && entries.length === 1) {
      await this.keeper.change(only.id, refusal(error))
      return true
    }
    for (const entry of entries) if (!(await this.entries(by, [entry]))) return false
    return true
  }

  /** False: the server could not take this one now. */
  private async photo(photo: Photo): Promise<boolean> {
    const file = await this.keeper.file(photo.id)
    if (file === null) {
      const said = { reason: 'picture_gone', detail: null, theirs: null }
      await this.keeper.changePhoto(photo.id, { state: 'refused', said })
      return true
    }
    try {
      const { received_at, result } = await this.server.photo(photo, file)
      await this.keeper.changePhoto(photo.id, settled(result, received_at))
    } catch (error) {
      if (isStranger(error) || OF_ALL.includes(statusOf(error))) throw error
      if (!isFinal(error)) {
        this.status = statusOf(error)
        return false
      }
      await this.keeper.changePhoto(photo.id, refusal(error))
    }
    return true
  }
}
