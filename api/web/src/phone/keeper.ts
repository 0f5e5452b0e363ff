/** Where a phone keeps what it has fetched and what it has not sent: what such a place can do. */
import type { Entry, Photo } from './queue.ts'

/** What was fetched for somebody: the document as it came, and when by the phone's clock. */
export interface Fetched<Document> {
  by: string
  at: number
  document: Document
}

/** Every call may fail: the storage is full, or the browser has taken it away. */
export interface Keeper {
  /** Whether it outlasts the page. */
  readonly lasts: boolean
  entries(by: string): Promise<Entry[]>
  photos(by: string): Promise<Photo[]>
  /** How many unsent ones there are of everybody but `by`. */
  others(by: string): Promise<number>
  file(photo: string): Promise<Blob | null>
  /** Keep `entry` in the place of another or as the last one; its `seq` is given here. */
  add(entry: Omit<Entry, 'seq'>, replaced: string | null): Promise<void>
  addPhoto(photo: Photo, file: Blob): Promise<void>
  /** They go out now, and are not exchanged or taken back any more; those that are still there. */
  begin(ids: readonly string[]): Promise<string[]>
  /** Drop it, if it has not gone out; whether it could be. */
  takeBack(id: string): Promise<boolean>
  change(id: string, changes: Partial<Entry>): Promise<void>
  changePhoto(id: string, changes: Partial<Photo>): Promise<void>
  /** Of entries and photographs alike. */
  drop(ids: readonly string[]): Promise<void>
  fetched<Document>(by: string): Promise<Fetched<Document> | null>
  fetch<Document>(fetched: Fetched<Document>): Promise<void>
  /** What was fetched for `by` is not kept any more; what they have not sent is. */
  forget(by: string): Promise<void>
  /** Call `told` whenever something of it is another, also by another tab. Returns what ends it. */
  watch(told: () => void): () => void
}

/** Keeps it as long as the page is open: where the browser allows nothing else, and in tests. */
export class ShortKeeper implements Keeper {
  readonly lasts = false
  private all: Entry[] = []
  private pictures: Photo[] = []
  private readonly files = new Map<string, Blob>()
  private readonly documents = new Map<string, Fetched<unknown>>()
  private readonly listeners = new Set<() => void>()
  private seq = 0

  async entries(by: string): Promise<Entry[]> {
    return this.all.filter((one) => one.by === by)
  }

  async photos(by: string): Promise<Photo[]> {
    return this.pictures.filter((one) => one.by === by)
  }

  async others(by: string): Promise<number> {
    return [...this.all, ...this.pictures].filter((one) => one.by !== by && one.state !== 'sent').length
  }

  async file(photo: string): Promise<Blob | null> {
    return this.files.get(photo) ?? null
  }

  async add(entry: Omit<Entry, 'seq'>, replaced: string | null): Promise<void> {
    this.seq += 1
    const kept = this.all.filter((one) => one.id !== replaced || one.tried || one.by !== entry.by)
    this.all = [...kept, { ...entry, seq: this.seq }]
    this.tell()
  }

  async addPhoto(photo: Photo, file: Blob): Promise<void> {
    this.pictures.push(photo)
    this.files.set(photo.id, file)
    this.tell()
  }

  async begin(ids: readonly string[]): Promise<string[]> {
    this.all = this.all.map((one) => (ids.includes(one.id) ? { ...one, tried: true } : one))
    return ids.filter((id) => this.all.some((one) => one.id === id))
  }

  async takeBack(id: string): Promise<boolean> {
    const before = this.all.length
    this.all = this.all.filter((one) => one.id !== id || one.tried)
    this.tell()
    return this.all.length < before
  }

  async change(id: string, changes: Partial<Entry>): Promise<void> {
    this.all = this.all.map((one) => (one.id === id ? { ...one, ...changes } : one))
    this.tell()
  }

  async changePhoto(id: string, changes: Partial<Photo>): Promise<void> {
    this.pictures = this.pictures.map((one) => (one.id === id ? { ...one, ...changes } : one))
    this.tell()
  }

  async drop(ids: readonly string[]): Promise<void> {
    this.all = this.all.filter(({ id }) => !ids.includes(id))
    this.pictures = this.pictures.filter(({ id }) => !ids.includes(id))
    for (const id of ids) this.files.delete(id)
    this.tell()
  }

  async fetched<Document>(by: string): Promise<Fetched<Document> | null> {
    return (this.documents.get(by) as Fetched<Document> | undefined) ?? null
  }

  async fetch<Document>(fetched: Fetched<Document>): Promise<void> {
    this.documents.set(fetched.by, fetched)
    this.tell()
  }

  async forget(by: string): Promise<void> {
    this.documents.delete(by)
    this.tell()
  }

  watch(told: () => void): () => void {
    this.listeners.add(told)
    return () => this.listeners.delete(told)
  }

  private tell(): void {
    for (const told of this.listeners) told()
  }
}
