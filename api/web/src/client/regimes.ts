/** The calls about the inspection regimes. */
import { answered, client } from './call'

export const regimes = {
  all: () => answered(client.GET('/api/v1/regimes')),

  one: (id: string) =>
    answered(client.GET('/api/v1/regimes/{regime_id}', { params: { path: { regime_id: id } } })),

  file: (id: string, version: string) =>
    answered(
      client.GET('/api/v1/regimes/{regime_id}/versions/{version}', {
        params: { path: { regime_id: id, version } },
      }),
    ),
}
