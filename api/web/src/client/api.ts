/** The typed client of `/api/v1`; every failure becomes one `Failure`. */
import createClient from 'openapi-fetch'

import type { paths } from './schema'
import type { Problem } from './types'

/** Why a request did not do what was asked; `status` 0: it did not arrive. */
export class Failure extends Error {
  readonly status: number

  constructor(status: number, detail: string) {
    super(detail)
    this.status = status
  }
}

interface Answer<Data> {
  data?: Data
  error?: Problem | { status?: number; detail?: string } | undefined
  response: Response
}

const client = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })

const expiryListeners = new Set<() => void>()

/** Hear of an answer 401 to anything but a log-in: the session is over. */
export function onSessionOver(listener: () => void): void {
  expiryListeners.add(listener)
}

/** A key for a write, so that sending it twice does it once. */
export function newKey(): string {
  // crypto.randomUUID is there only over HTTPS and on localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

async function answered<Data>(request: Promise<Answer<Data>>): Promise<Data> {
  let answer: Answer<Data>
  try {
    answer = await request
  } catch (error) {
    throw new Failure(0, String(error))
  }
  const { data, error, response } = answer
  if (response.ok) return data as Data
  if (response.status === 401 && !response.url.endsWith('/login')) {
    for (const listener of expiryListeners) listener()
  }
  throw new Failure(response.status, error?.detail ?? response.statusText)
}

export const api = {
  logIn: (username: string, password: string) =>
    answered(client.POST('/api/v1/login', { body: { username, password } })),

  logOut: () => answered(client.POST('/api/v1/logout')),

  me: () => answered(client.GET('/api/v1/me')),

  site: () => answered(client.GET('/api/v1/site')),

  equipment: (cursor: string | null) =>
    answered(client.GET('/api/v1/equipment', { params: { query: { limit: 200, cursor } } })),

  readings: (point: string, start: string, end: string, buckets: number) =>
    answered(
      client.GET('/api/v1/points/{point_id}/readings', {
        params: { path: { point_id: point }, query: { start, end, buckets } },
      }),
    ),

  alarms: (cursor: string | null, limit = 50) =>
    answered(client.GET('/api/v1/alarms', { params: { query: { state: 'all', limit, cursor } } })),

  alarm: (id: string) =>
    answered(client.GET('/api/v1/alarms/{alarm_id}', { params: { path: { alarm_id: id } } })),

  acknowledge: (id: string, note: string | null, key: string) =>
    answered(
      client.POST('/api/v1/alarms/{alarm_id}/acknowledge', {
        params: { path: { alarm_id: id }, header: { 'idempotency-key': key } },
        body: { note },
      }),
    ),

  orders: (cursor: string | null, limit = 50) =>
    answered(client.GET('/api/v1/orders', { params: { query: { state: 'all', limit, cursor } } })),

  order: (id: string) =>
    answered(client.GET('/api/v1/orders/{order_id}', { params: { path: { order_id: id } } })),

  accept: (id: string, key: string) =>
    answered(
      client.POST('/api/v1/orders/{order_id}/accept', {
        params: { path: { order_id: id }, header: { 'idempotency-key': key } },
      }),
    ),

  complete: (id: string, note: string, key: string) =>
    answered(
      client.POST('/api/v1/orders/{order_id}/complete', {
        params: { path: { order_id: id }, header: { 'idempotency-key': key } },
        body: { note },
      }),
    ),
}
