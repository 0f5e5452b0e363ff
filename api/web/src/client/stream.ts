/** The live stream: one EventSource, opened again for as long as it is wanted. */
import type {
  AlarmMessage,
  ChangedMessage,
  HeartbeatMessage,
  OrderMessage,
  ProvisionalMessage,
  ReadingsMessage,
  SnapshotMessage,
} from './types'

export interface StreamListener {
  snapshot(message: SnapshotMessage): void
  alarm(message: AlarmMessage): void
  order(message: OrderMessage): void
  /** All alarms that are up and not in the ledger, and whether the ledger works. */
  provisional(message: ProvisionalMessage): void
  /** Something that the page asks for by itself is not as it was. */
  changed(message: ChangedMessage): void
  readings(message: ReadingsMessage): void
  heartbeat(message: HeartbeatMessage): void
  /** The line is broken; the stream tries again by itself. */
  broken(): void
}

const FIRST_WAIT = 1000
const LONGEST_WAIT = 15_000

export class Stream {
  private source: EventSource | null = null
  private wait = FIRST_WAIT
  private retry: ReturnType<typeof setTimeout> | undefined
  private readonly listener: StreamListener

  constructor(listener: StreamListener) {
    this.listener = listener
  }

  /** Open it, or open it anew where it is open already. */
  open(): void {
    this.close()
    const source = new EventSource('/api/v1/stream')
    this.source = source
    this.hear(source, 'snapshot', (message: SnapshotMessage) => this.listener.snapshot(message))
    this.hear(source, 'alarm', (message: AlarmMessage) => this.listener.alarm(message))
    this.hear(source, 'order', (message: OrderMessage) => this.listener.order(message))
    this.hear(source, 'provisional', (message: ProvisionalMessage) =>
      this.listener.provisional(message),
    )
    this.hear(source, 'changed', (message: ChangedMessage) => this.listener.changed(message))
    this.hear(source, 'readings', (message: ReadingsMessage) => this.listener.readings(message))
    this.hear(source, 'heartbeat', (message: HeartbeatMessage) => this.listener.heartbeat(message))
    source.addEventListener('error', () => this.failed(source))
  }

  close(): void {
    clearTimeout(this.retry)
    this.source?.close()
    this.source = null
  }

  private hear<Message>(source: EventSource, name: string, take: (message: Message) => void): void {
    source.addEventListener(name, (event: MessageEvent<string>) => {
      this.wait = FIRST_WAIT
      take(JSON.parse(event.data) as Message)
    })
  }

  private failed(source: EventSource): void {
    this.listener.broken()
    // After a broken line the browser tries again by itself; after a refusal it does not.
    if (source.readyState !== EventSource.CLOSED) return
    clearTimeout(this.retry)
    this.retry = setTimeout(() => this.open(), this.wait)
    this.wait = Math.min(LONGEST_WAIT, this.wait * 2)
  }
}
