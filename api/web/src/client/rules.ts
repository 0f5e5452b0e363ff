/** The calls about the rulebook: rules, limits of the site's own, replays. */
import { answered, client, written, type Write } from './call'
import type { ReplayNew, RuleOverrideNew } from './types'

export const rules = {
  all: () => answered(client.GET('/api/v1/rules')),

  one: (id: string) =>
    answered(client.GET('/api/v1/rules/{rule_id}', { params: { path: { rule_id: id } } })),

  setLimit: (id: string, equipment: string, body: RuleOverrideNew, write: Write) =>
    answered(
      client.PUT('/api/v1/rules/{rule_id}/overrides/{equipment_id}', {
        params: { path: { rule_id: id, equipment_id: equipment } },
        ...written(write),
        body,
      }),
    ),

  dropLimit: (id: string, equipment: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/rules/{rule_id}/overrides/{equipment_id}', {
        params: { path: { rule_id: id, equipment_id: equipment } },
        ...written(write),
      }),
    ),

  replays: () => answered(client.GET('/api/v1/replays', { params: { query: { limit: 5 } } })),

  replay: (id: string) =>
    answered(
      client.GET('/api/v1/replays/{replay_id}', { params: { path: { replay_id: id } } }),
    ),

  begin: (body: ReplayNew, write: Write) =>
    answered(client.POST('/api/v1/replays', { ...written(write), body })),

  cancel: (id: string, write: Write) =>
    answered(
      client.POST('/api/v1/replays/{replay_id}/cancel', {
        params: { path: { replay_id: id } },
        ...written(write),
      }),
    ),
}
