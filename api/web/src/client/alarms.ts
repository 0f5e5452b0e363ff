/** The calls by which alarms are put aside and ended, and what they ask of people. */
import { answered, client, written, type Write } from './call'

export const alarms = {
  /** Of one piece of equipment, closed ones too, the newest. */
  of: (equipment: string, limit: number) =>
    answered(client.GET('/api/v1/alarms', { params: { query: { state: ['all'], equipment, limit } } })),

  /** For a time nobody is called for it. */
  shelve: (id: string, minutes: number, reason: string, write: Write) =>
    answered(
      client.POST('/api/v1/alarms/{alarm_id}/shelve', {
        params: { path: { alarm_id: id } },
        ...written(write),
        body: { minutes, reason },
      }),
    ),

  unshelve: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/alarms/{alarm_id}/unshelve', {
        params: { path: { alarm_id: id } },
        ...written(write),
        body: { note },
      }),
    ),

  /** End one that its rule has latched. */
  reset: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/alarms/{alarm_id}/reset', {
        params: { path: { alarm_id: id } },
        ...written(write),
        body: { note },
      }),
    ),

  figures: (days: number) =>
    answered(client.GET('/api/v1/alarms/figures', { params: { query: { days } } })),

  /** The rules that lie on the shelf, whether their alarm is there or over. */
  shelves: () => answered(client.GET('/api/v1/shelves')),

  outOfService: () => answered(client.GET('/api/v1/out-of-service')),

  takeOut: (equipment: string, reason: string, hours: number | null, write: Write) =>
    answered(
      client.POST('/api/v1/equipment/{equipment_id}/out-of-service', {
        params: { path: { equipment_id: equipment } },
        ...written(write),
        body: { reason, hours },
      }),
    ),

  bringBack: (equipment: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/equipment/{equipment_id}/in-service', {
        params: { path: { equipment_id: equipment } },
        ...written(write),
        body: { note },
      }),
    ),
}
