/** What a phone keeps in IndexedDB; it is there again after the page was closed without signal. */
import { Dexie, liveQuery, type EntityTable } from 'dexie'

import { ShortKeeper, type Fetched, type Keeper } from './keeper.ts'
import type { Entry, Photo } from './queue.ts'

interface Picture {
  id: string
  /** As bytes: some browsers lose a Blob that lies in their database. */
  bytes: ArrayBuffer
  type: string
}

class Tables extends Dexie {
  declare entries: EntityTable<Entry, 'id'>
  declare photos: EntityTable<Photo, 'id'>
  declare pictures: EntityTable<Picture, 'id'>
  declare fetched: EntityTable<Fetched<unknown>, 'by'>

  constructor() {
    super('dutyroom.phone')
    this.version(1).stores({
      entries: 'id, by, seq',
      photos: 'id, by',
      pictures: 'id',
      fetched: 'by',
    })
  }
}

class Shelf implements Keeper {
  readonly lasts = true
  private readonly tables: Tables

  constructor(tables: Tables) {
    this.tables = tables
  }

  entries(by: string): Promise<Entry[]> {
    return this.tables.entries.where({ by }).toArray()
  }

  photos(by: string): Promise<Photo[]> {
    return this.tables.photos.where({ by }).toArray()
  }

  async others(by: string): Promise<number> {
    const isUnsent = ({ state }: Entry | Photo): boolean => state !== 'sent'
    const [entries, photos] = await Promise.all([
      this.tables.entries.where('by').notEqual(by).filter(isUnsent).count(),
      this.tables.photos.where('by').notEqual(by).filter(isUnsent).count(),
    ])
    return entries + photos
  }

  async file(photo: string): Promise<Blob | null> {
    const found = await this.tables.pictures.get(photo)
    return found === undefined ? null : new Blob([found.bytes], { type: found.type })
  }

  async add(entry: Omit<Entry, 'seq'>, replaced: string | null): Promise<void> {
    const { entries } = this.tables
    await this.tables.transaction('rw', entries, async () => {
      const last = await entries.orderBy('seq').last()
      // In the meantime it may have gone out: then both are kept, one after the other.
      const earlier = replaced === null ? undefined : await entries.get(replaced)
      if (earlier?.tried === false && earlier.by === entry.by) await entries.delete(earlier.id)
      await entries.add({ ...entry, seq: (last?.seq ?? 0) + 1 })
    })
  }

  async addPhoto(photo: Photo, file: Blob): Promise<void> {
    const bytes = await file.arrayBuffer()
    const { photos, pictures } = this.tables
    await this.tables.transaction('rw', photos, pictures, async () => {
      await photos.add(photo)
      await pictures.add({ id: photo.id, bytes, type: file.type })
    })
  }

  begin(ids: readonly string[]): Promise<string[]> {
    const { entries } = this.tables
    return this.tables.transaction('rw', entries, async () => {
      const there: string[] = []
      for (const id of ids) if ((await entries.update(id, { tried: true })) > 0) there.push(id)
      return there
    })
  }

  takeBack(id: string): Promise<boolean> {
    const { entries } = this.tables
    return this.tables.transaction('rw', entries, async () => {
      if ((await entries.get(id))?.tried !== false) return false
      await entries.delete(id)
      return true
    })
  }

  async change(id: string, changes: Partial<Entry>): Promise<void> {
    await this.tables.entries.update(id, changes)
  }

  async changePhoto(id: string, changes: Partial<Photo>): Promise<void> {
    const { photos, pictures } = this.tables
    await this.tables.transaction('rw', photos, pictures, async () => {
      await photos.update(id, changes)
      if (changes.state === 'sent') await pictures.delete(id)
    })
  }

  async drop(ids: readonly string[]): Promise<void> {
    const { entries, photos, pictures } = this.tables
    await this.tables.transaction('rw', entries, photos, pictures, async () => {
      for (const table of [entries, photos, pictures]) await table.bulkDelete([...ids])
    })
  }

  async fetched<Document>(by: string): Promise<Fetched<Document> | null> {
    return ((await this.tables.fetched.get(by)) as Fetched<Document> | undefined) ?? null
  }

  async fetch<Document>(fetched: Fetched<Document>): Promise<void> {
    await this.tables.fetched.put(fetched)
  }

  async forget(by: string): Promise<void> {
    await this.tables.fetched.delete(by)
  }

  watch(told: () => void): () => void {
    const { entries, photos, fetched } = this.tables
    const seen = liveQuery(() =>
      Promise.all([entries.toArray(), photos.toArray(), fetched.toCollection().keys()]),
    )
    const listening = seen.subscribe({ next: told, error: told })
    return () => listening.unsubscribe()
  }
}

/** IndexedDB, or where the browser forbids that, what is gone with the page. */
export async function openKeeper(): Promise<Keeper> {
  const tables = new Tables()
  try {
    await tables.open()
    return new Shelf(tables)
  } catch {
    return new ShortKeeper()
  }
}
