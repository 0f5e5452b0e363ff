/**
 * When a phone calls the server: at once when somebody looks at it or signal comes back, and again
 * after a while where it came to nothing. It depends on no help of the browser in the background.
 */
import { wait } from './queue.ts'

/** ms; so often it is looked at whether it is time. */
const GLANCE = 5000

export class Calling {
  private readonly call: () => Promise<boolean>
  private readonly due: () => boolean
  private retry: ReturnType<typeof setTimeout> | undefined
  private failures = 0
  private busy = false
  /** Something came up while it called: it calls once more. */
  private more = false

  /** `call` says whether the server was reached; `due` whether what is shown is old enough. */
  constructor(call: () => Promise<boolean>, due: () => boolean) {
    this.call = call
    this.due = due
  }

  /** Listen to the page: called once. */
  begin(): void {
    document.addEventListener('visibilitychange', () => this.front())
    addEventListener('online', () => this.front())
    setInterval(() => {
      if (!document.hidden && this.failures === 0 && this.due()) void this.now()
    }, GLANCE)
  }

  /** The page came to the front, or somebody asks for it: nothing is waited for. */
  front(): void {
    if (document.hidden) return
    this.failures = 0
    void this.now()
  }

  async now(): Promise<void> {
    if (this.busy) {
      this.more = true
      return
    }
    this.busy = true
    clearTimeout(this.retry)
    do {
      this.more = false
      const reached = await this.call().catch(() => false)
      this.failures = reached ? 0 : this.failures + 1
    } while (this.more && this.failures === 0)
    this.busy = false
    if (this.failures > 0) this.retry = setTimeout(() => this.again(), wait(this.failures))
  }

  /** Nobody looks: it is sent when somebody does. */
  private again(): void {
    if (!document.hidden) void this.now()
  }
}
