/** The calls of the offline protocol: what a phone fetches before, and what it sends afterwards. */
import type { Server } from '@/phone/sender'
import type { Entry, Photo } from '@/phone/queue'
import { answered, Failure } from './call'
import type { OfflineResult, OfflineResults, OfflineToday, Order } from './types'

const API = '/api/v1'
const PATH = `${API}/offline`
/** After so long (ms) an answer counts as lost; it is safe to send it again. */
const PATIENCE = 20_000
/** A photograph over a weak network takes its time. */
const PHOTO_PATIENCE = 120_000

/** `heard` sees the answer before it is read. */
function ask<Data>(
  path: string,
  patience: number,
  init: RequestInit,
  heard: (response: Response) => void = () => undefined,
): Promise<Data> {
  return answered<Data>(
    fetch(path, {
      ...init,
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(patience),
    }).then(async (response) => {
      heard(response)
      const body = response.status === 304 ? null : await response.json()
      return response.ok ? { data: body, response } : { error: body, response }
    }),
  )
}

/** The server's clock, to the second. */
function dateOf(response: Response): string | null {
  const at = Date.parse(response.headers.get('Date') ?? '')
  return Number.isNaN(at) ? null : new Date(at).toISOString()
}

/** What was fetched, under its tag; `whole`: one's own orders with their clocks. */
export interface Tagged {
  tag: string | null
  today: OfflineToday
  whole: Order[]
}

/** Where nothing has changed since: `before`, as of now. */
export async function today(before: Tagged | null): Promise<Tagged> {
  let tag: string | null = null
  let made_at: string | null = null
  try {
    const headers: HeadersInit = before?.tag ? { 'If-None-Match': before.tag } : {}
    const found = await ask<OfflineToday>(`${PATH}/today`, PATIENCE, { headers }, (response) => {
      tag = response.headers.get('ETag')
      made_at = dateOf(response)
    })
    const mine = new URLSearchParams({ assigned_to: found.person.username, limit: '100' })
    const { items } = await ask<{ items: Order[] }>(`${API}/orders?${mine}`, PATIENCE, {})
    return { tag, today: found, whole: items }
  } catch (error) {
    if (before === null || !(error instanceof Failure && error.status === 304)) throw error
    return { ...before, today: { ...before.today, made_at: made_at ?? before.today.made_at } }
  }
}

/** `device`: a word by which the phone is known; of no meaning but to tell two of them apart. */
export function serverFor(device: string): Server {
  return {
    entries: (person, entries) =>
      ask<OfflineResults>(`${PATH}/entries`, PATIENCE, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          device,
          person,
          sent_at: new Date().toISOString(),
          entries: entries.map(sentAs),
        }),
      }),
    photo: async (photo, file) => {
      let received_at = ''
      const result = await ask<OfflineResult>(
        `${PATH}/photos/${photo.id}?${said(photo, device)}`,
        PHOTO_PATIENCE,
        {
          method: 'PUT',
          headers: { 'Content-Type': file.type || 'application/octet-stream' },
          body: file,
        },
        (response) => (received_at = dateOf(response) ?? new Date().toISOString()),
      )
      return { received_at, result }
    },
  }
}

function sentAs({ id, kind, subject, version, entered_at, body }: Entry): object {
  return { id, kind, subject, version, entered_at, body }
}

function said(photo: Photo, device: string): string {
  const query = new URLSearchParams({
    of: photo.of,
    subject: photo.subject,
    version: photo.version,
    device,
    person: photo.by,
    entered_at: photo.entered_at,
    sent_at: new Date().toISOString(),
  })
  if (photo.item !== null) query.set('item', photo.item)
  return query.toString()
}
