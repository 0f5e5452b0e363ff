/** The calls about work orders: seeing one, every step in its life, and where new ones come from. */
import { answered, client, written, type Write } from './call'
import type {
  Completion,
  OrderNew,
  OrderSource,
  PromiseChange,
  RequestNew,
  Suspension,
  Verification,
  Visit,
} from './types'

interface Wanted {
  /** Left out: those that are not over. */
  state?: 'all'[]
  assigned_to?: string
  area?: string
  source?: OrderSource
  equipment?: string
}

/** What goes with every step: which order, and the write's own headers. */
function step(id: string, write: Write) {
  return { params: { path: { order_id: id } }, ...written(write) }
}

export const orders = {
  page: (cursor: string | null, wanted: Wanted, limit = 50) =>
    answered(client.GET('/api/v1/orders', { params: { query: { ...wanted, limit, cursor } } })),

  one: (id: string) =>
    answered(client.GET('/api/v1/orders/{order_id}', { params: { path: { order_id: id } } })),

  candidates: (id: string) =>
    answered(
      client.GET('/api/v1/orders/{order_id}/candidates', { params: { path: { order_id: id } } }),
    ),

  codes: () => answered(client.GET('/api/v1/order-codes')),

  /** Of a month, `2026-11`; without one of the present month. */
  figures: (month: string | null) =>
    answered(client.GET('/api/v1/order-figures', { params: { query: { month } } })),

  places: () => answered(client.GET('/api/v1/places')),

  /** The code of an area; `renew`: another one, and the one that hangs there no longer counts. */
  hang: (area: string, renew: boolean, write: Write) =>
    answered(
      client.PUT('/api/v1/places/{area}', {
        params: { path: { area }, query: { renew } },
        ...written(write),
      }),
    ),

  add: (body: OrderNew, write: Write) =>
    answered(client.POST('/api/v1/orders', { ...written(write), body })),

  request: (body: RequestNew, write: Write) =>
    answered(client.POST('/api/v1/requests', { ...written(write), body })),

  promise: (id: string, body: PromiseChange, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/promise', { ...step(id, write), body })),

  accept: (id: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/accept', step(id, write))),

  arrive: (id: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/arrive', step(id, write))),

  start: (id: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/start', step(id, write))),

  resume: (id: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/resume', step(id, write))),

  assign: (id: string, username: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/orders/{order_id}/assign', {
        ...step(id, write),
        body: { username, note },
      }),
    ),

  decline: (id: string, reason: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/decline', { ...step(id, write), body: { reason } })),

  void: (id: string, reason: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/void', { ...step(id, write), body: { reason } })),

  suspend: (id: string, body: Suspension, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/suspend', { ...step(id, write), body })),

  /** One crew alone cannot go on with it. */
  bothCrews: (id: string, reason: string, write: Write) =>
    answered(client.PUT('/api/v1/orders/{order_id}/both-crews', { ...step(id, write), body: { reason } })),

  oneCrew: (id: string, write: Write) =>
    answered(client.DELETE('/api/v1/orders/{order_id}/both-crews', step(id, write))),

  complete: (id: string, body: Completion, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/complete', { ...step(id, write), body })),

  /** A photograph or signature no longer counts. */
  strike: (attachment: string, reason: string, write: Write) =>
    answered(
      client.POST('/api/v1/attachments/{attachment_id}/strike', {
        params: { path: { attachment_id: attachment } },
        ...written(write),
        body: { reason },
      }),
    ),

  /** Another link for the contractor who has it; the one before is no good any more. */
  link: (id: string, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/contractor-link', step(id, write))),

  unlink: (id: string, write: Write) =>
    answered(client.DELETE('/api/v1/orders/{order_id}/contractor-link', step(id, write))),

  verify: (id: string, body: Verification, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/verify', { ...step(id, write), body })),

  visit: (id: string, body: Visit, write: Write) =>
    answered(client.POST('/api/v1/orders/{order_id}/visit', { ...step(id, write), body })),
}
