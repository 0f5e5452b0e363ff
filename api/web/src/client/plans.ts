/** The calls about maintenance plans and what is due of them. */
import { answered, client, written, type Write } from './call'
import type { PlanDue, PlanRecord } from './types'

/** What goes with every step: which one, and the write's own headers. */
function step(id: string, write: Write) {
  return { params: { path: { due_id: id } }, ...written(write) }
}

interface Wanted {
  from?: string
  to?: string
  plan?: string
  equipment?: string
  order?: string
}

async function due(wanted: Wanted = {}): Promise<PlanDue[]> {
  const found: PlanDue[] = []
  let cursor: string | null = null
  do {
    const query: Wanted & { limit: number; cursor: string | null } = { ...wanted, limit: 200, cursor }
    const page: { items: PlanDue[]; next: string | null } = await answered(
      client.GET('/api/v1/plans/due', { params: { query } }),
    )
    found.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return found
}

export const plans = {
  all: () => answered(client.GET('/api/v1/plans')),

  /** Without days: what is owed, and the next 30 days. */
  due,

  year: (year: number) => answered(client.GET('/api/v1/plans/year', { params: { query: { year } } })),

  one: (id: string) =>
    answered(client.GET('/api/v1/plans/{plan_id}', { params: { path: { plan_id: id } } })),

  oneDue: (id: string) =>
    answered(client.GET('/api/v1/plans/due/{due_id}', { params: { path: { due_id: id } } })),

  postpone: (id: string, to: string, reason: string, write: Write) =>
    answered(
      client.POST('/api/v1/plans/due/{due_id}/postpone', { ...step(id, write), body: { to, reason } }),
    ),

  void: (id: string, reason: string, write: Write) =>
    answered(client.POST('/api/v1/plans/due/{due_id}/void', { ...step(id, write), body: { reason } })),

  record: (id: string, body: PlanRecord, write: Write) =>
    answered(client.POST('/api/v1/plans/due/{due_id}/record-done', { ...step(id, write), body })),

  /** A step of it is done, or is not after all. */
  tick: (id: string, number: number, done: boolean, write: Write) =>
    answered(
      client.POST('/api/v1/plans/due/{due_id}/steps/{step}', {
        params: { path: { due_id: id, step: number } },
        ...written(write),
        body: { done },
      }),
    ),
}
