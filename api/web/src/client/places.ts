/** The calls about codes at places, and what somebody without a log-in asks for there. */
import { answered, client, written, type Write } from './call'
import type { PublicRequest } from './types'

export const places = {
  one: (code: string) =>
    answered(client.GET('/api/v1/public/places/{code}', { params: { path: { code } } })),

  ask: (code: string, body: PublicRequest, write: Write) =>
    answered(
      client.POST('/api/v1/public/places/{code}/requests', {
        params: { path: { code } },
        ...written(write),
        body,
      }),
    ),
}
