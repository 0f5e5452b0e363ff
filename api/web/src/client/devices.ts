/** The calls about the way to the devices: links, profiles, probes, commands. */
import { answered, client, written, type Write } from './call'
import type { CommandProposal, ProbeRequest } from './types'

export const devices = {
  links: () => answered(client.GET('/api/v1/links')),

  probe: (id: string, body: ProbeRequest, write: Write) =>
    answered(
      client.POST('/api/v1/links/{link_id}/probe', {
        params: { path: { link_id: id } },
        ...written(write),
        body,
      }),
    ),

  profiles: () => answered(client.GET('/api/v1/profiles')),

  profile: (id: string) =>
    answered(
      client.GET('/api/v1/profiles/{profile_id}', { params: { path: { profile_id: id } } }),
    ),

  /** What this person may tell the equipment. */
  allowed: (equipment: string) =>
    answered(
      client.GET('/api/v1/equipment/{equipment_id}/commands', {
        params: { path: { equipment_id: equipment } },
      }),
    ),

  propose: (equipment: string, body: CommandProposal, write: Write) =>
    answered(
      client.POST('/api/v1/equipment/{equipment_id}/commands', {
        params: { path: { equipment_id: equipment } },
        ...written(write),
        body,
      }),
    ),

  confirm: (id: string, write: Write) =>
    answered(
      client.POST('/api/v1/commands/{command_id}/confirm', {
        params: { path: { command_id: id } },
        ...written(write),
      }),
    ),

  told: (equipment: string) =>
    answered(client.GET('/api/v1/commands', { params: { query: { equipment, limit: 5 } } })),
}
