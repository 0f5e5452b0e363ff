/** The typed client of `/api/v1`. */
import { answered, client, written, type Write } from './call'

export { Failure, newKey, onSessionOver } from './call'
export type { Signing, Write } from './call'

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

  /** When equipment said nothing in the last day. */
  silences: () => answered(client.GET('/api/v1/silences')),

  alarms: (cursor: string | null, limit = 50) =>
    answered(client.GET('/api/v1/alarms', { params: { query: { state: ['all'], limit, cursor } } })),

  alarm: (id: string) =>
    answered(client.GET('/api/v1/alarms/{alarm_id}', { params: { path: { alarm_id: id } } })),

  acknowledge: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/alarms/{alarm_id}/acknowledge', {
        params: { path: { alarm_id: id } },
        ...written(write),
        body: { note },
      }),
    ),
}
