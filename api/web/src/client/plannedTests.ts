/** The calls about planned tests. */
import { answered, client, written, type Write } from './call'
import type { PlannedTestNew, PlannedTestState } from './types'

/** What goes with every step: which test, and the write's own headers. */
function step(id: string, write: Write) {
  return { params: { path: { test_id: id } }, ...written(write) }
}

export const plannedTests = {
  page: (cursor: string | null, state: PlannedTestState[], limit = 50) =>
    answered(client.GET('/api/v1/planned-tests', { params: { query: { state, limit, cursor } } })),

  one: (id: string) =>
    answered(client.GET('/api/v1/planned-tests/{test_id}', { params: { path: { test_id: id } } })),

  plan: (body: PlannedTestNew, write: Write) =>
    answered(client.POST('/api/v1/planned-tests', { ...written(write), body })),

  cancel: (id: string, reason: string, write: Write) =>
    answered(
      client.POST('/api/v1/planned-tests/{test_id}/cancel', { ...step(id, write), body: { reason } }),
    ),

  end: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/planned-tests/{test_id}/end', { ...step(id, write), body: { note } }),
    ),

  /** The tester has set off this detector, and nobody else has. */
  confirm: (id: string, equipment: string, write: Write) =>
    answered(
      client.POST('/api/v1/planned-tests/{test_id}/confirm', {
        ...step(id, write),
        body: { equipment },
      }),
    ),
}
