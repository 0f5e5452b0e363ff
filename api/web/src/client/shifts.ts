/** The calls about the log of a shift and its handover. */
import { answered, client, written, type Write } from './call'
import type { AnswerNew, Handover, ShiftEntryNew, ShiftLog } from './types'

/** What goes with every step of a handover. */
function step(id: string, write: Write) {
  return { params: { path: { shift_id: id } }, ...written(write) }
}

const at = (id: string) => ({ params: { path: { shift_id: id } } })

export const shifts = {
  log: (id: string): Promise<ShiftLog> =>
    answered(client.GET('/api/v1/shift-log/{shift_id}', at(id))),

  now: () => answered(client.GET('/api/v1/shift-log/current')),

  past: (limit = 20) => answered(client.GET('/api/v1/shift-log', { params: { query: { limit } } })),

  write: (id: string, body: ShiftEntryNew, write: Write): Promise<ShiftLog> =>
    answered(client.POST('/api/v1/shift-log/{shift_id}/entries', { ...step(id, write), body })),

  handover: (id: string): Promise<Handover> =>
    answered(client.GET('/api/v1/handovers/{shift_id}', at(id))),

  open: () => answered(client.GET('/api/v1/handovers/current')),

  arrive: (id: string, note: string | null, write: Write): Promise<Handover> =>
    answered(
      client.POST('/api/v1/handovers/{shift_id}/arrivals', { ...step(id, write), body: { note } }),
    ),

  answer: (id: string, answers: AnswerNew[], write: Write): Promise<Handover> =>
    answered(
      client.POST('/api/v1/handovers/{shift_id}/answers', { ...step(id, write), body: { answers } }),
    ),

  /** `blocks`: the ids of what is let pass, as it was seen. */
  override: (
    id: string,
    body: { reason: string; blocks: string[] },
    write: Write,
  ): Promise<Handover> =>
    answered(client.POST('/api/v1/handovers/{shift_id}/override', { ...step(id, write), body })),

  give: (id: string, write: Write): Promise<Handover> =>
    answered(client.POST('/api/v1/handovers/{shift_id}/give', step(id, write))),

  take: (id: string, write: Write): Promise<Handover> =>
    answered(client.POST('/api/v1/handovers/{shift_id}/take', step(id, write))),
}

/** Where the printed record lies. */
export const recordOf = {
  log: (id: string) => `/api/v1/shift-log/${id}/record.pdf`,
  handover: (id: string) => `/api/v1/handovers/${id}/record.pdf`,
}
