/** The calls about faults of simulated equipment: of a demonstration only. */
import { answered, client, written, type Write } from './call'

export const demoFaults = {
  panel: () => answered(client.GET('/api/v1/demo/faults')),

  begin: (kind: string, subject: string, lasts: number, write: Write) =>
    answered(
      client.POST('/api/v1/demo/faults', { ...written(write), body: { kind, subject, lasts } }),
    ),

  end: (id: string, write: Write) =>
    answered(
      client.POST('/api/v1/demo/faults/{fault_id}/end', {
        params: { path: { fault_id: id } },
        ...written(write),
      }),
    ),
}
