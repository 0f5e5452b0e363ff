/** Entries and photographs of a phone, for tests. */
import type { Entry, Photo } from '../src/phone/queue.ts'

export function entry(changes: Partial<Entry> = {}): Entry {
  return {
    id: 'one',
    seq: 1,
    by: 'li',
    kind: 'round_item',
    subject: 'round',
    item: 'noise',
    version: '1',
    entered_at: '2026-11-21T09:12:00.000Z',
    body: { item: 'noise', value: true },
    state: 'waiting',
    tried: false,
    received_at: null,
    said: null,
    ...changes,
  }
}

export function photo(changes: Partial<Photo> = {}): Photo {
  return {
    id: 'picture',
    by: 'li',
    subject: 'round',
    of: 'round_item',
    item: 'noise',
    version: '1',
    entered_at: '2026-11-21T09:12:00.000Z',
    size: 1000,
    thumb: '',
    state: 'waiting',
    received_at: null,
    said: null,
    ...changes,
  }
}
