/**
 * Which of a browser's tabs does what only one is to do: who began first and can.
 *
 * Over a BroadcastChannel and not by a Web Lock, which a page over plain HTTP does not have; and
 * messages reach a tab in the background at once, timers do not.
 */
interface Said {
  /** `who`: is there one? `here`: I am. `gone`: I was. */
  kind: 'who' | 'here' | 'gone'
  id: string
  since: number
}

/** ms in which whoever holds the turn has answered; of two that ask one is the first. */
const ANSWER = 400
const SCATTER = 200
/** ms; one that died said nothing. */
const AGAIN = 5000

export class Turn {
  /** Whether it is this tab's. */
  mine = false
  /** Whether it is another's. */
  others = false

  private readonly channel: BroadcastChannel
  private readonly id = Math.random().toString(36).slice(2)
  private readonly since = Date.now()
  private readonly repeat: ReturnType<typeof setInterval>
  private readonly changed: () => void
  private able = false
  private claim: ReturnType<typeof setTimeout> | undefined

  /** `changed` is told when `mine` or `others` is another than before. */
  constructor(name: string, changed: () => void) {
    this.changed = changed
    this.channel = new BroadcastChannel(name)
    this.channel.onmessage = ({ data }: MessageEvent<Said>) => this.hear(data)
    this.repeat = setInterval(() => this.ask(), AGAIN)
    this.ask()
  }

  /** This tab can, or cannot any more. */
  can(able: boolean): void {
    if (able === this.able) return
    this.able = able
    if (able) return this.ask()
    if (this.mine) this.say('gone')
    this.set(false, this.others)
  }

  close(): void {
    this.can(false)
    clearInterval(this.repeat)
    clearTimeout(this.claim)
    this.channel.close()
  }

  private ask(): void {
    if (this.mine) return
    this.say('who')
    clearTimeout(this.claim)
    this.claim = setTimeout(() => {
      this.set(this.able, false)
      if (this.mine) this.say('here')
    }, ANSWER + Math.random() * SCATTER)
  }

  private hear({ kind, id, since }: Said): void {
    if (kind === 'gone') return this.ask()
    if (kind === 'who') return this.mine ? this.say('here') : undefined
    clearTimeout(this.claim)
    const first = since < this.since || (since === this.since && id < this.id)
    // Two took it at once: the one that began later gives way.
    if (this.mine && !first) return this.say('here')
    this.set(false, true)
  }

  private say(kind: Said['kind']): void {
    this.channel.postMessage({ kind, id: this.id, since: this.since } satisfies Said)
  }

  private set(mine: boolean, others: boolean): void {
    if (mine === this.mine && others === this.others) return
    this.mine = mine
    this.others = others
    this.changed()
  }
}
