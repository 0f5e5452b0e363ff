/** How the page calls `/api/v1`: every failure becomes one `Failure`. */
import createClient from 'openapi-fetch'

import type { paths } from './schema'
import type { Problem } from './types'

/** Why a request did not do what was asked; `status` 0: it did not arrive. */
export class Failure extends Error {
  readonly status: number
  /** The last word of the problem's type, such as `wrong-pin`; empty where it has none. */
  readonly kind: string
  /** What is wrong with which field of what was sent, by the field's name. */
  readonly fields: Readonly<Record<string, string>>

  constructor(status: number, detail: string, problem?: Partial<Problem>) {
    super(detail)
    this.status = status
    this.kind = problem?.type?.split(':').at(-1) ?? ''
    this.fields = Object.fromEntries(
      (problem?.errors ?? []).map(({ where, message }) => [where.replace(/^\w+\./, ''), message]),
    )
  }
}

/** Somebody who signs at a computer on which another one is logged in; never stored. */
export interface Signing {
  username: string
  pin: string
}

/** What goes with a write: its key, so that sending it twice does it once, and who signs it. */
export interface Write {
  key: string
  signing?: Signing
}

/** The headers of a write. */
export function written({ key, signing }: Write): { headers: Record<string, string> } {
  const signed = signing && { 'Signing-User': signing.username, 'Signing-Pin': signing.pin }
  return { headers: { 'Idempotency-Key': key, ...signed } }
}

interface Answer<Data> {
  data?: Data
  error?: Partial<Problem> | undefined
  response: Response
}

export const client = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })

const expiryListeners = new Set<() => void>()

/** Hear of an answer 401 to anything but a log-in: the session is over. */
export function onSessionOver(listener: () => void): void {
  expiryListeners.add(listener)
}

/** A key for a write, or the id of what is written: a random UUID. */
export function newKey(): string {
  // crypto.randomUUID is there only over HTTPS and on localhost.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = 0x40 | ((bytes[6] ?? 0) & 0x0f)
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f)
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** The document that a request is answered with; throws `Failure`. */
export async function answered<Data>(request: Promise<Answer<Data>>): Promise<Data> {
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
  throw new Failure(response.status, error?.detail ?? response.statusText, error)
}
