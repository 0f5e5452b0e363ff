/** The calls about screens on a wall: their list, and becoming and being one. */
import { answered, client, written, type Write } from './call'
import type { ScreenNew } from './types'

export const screens = {
  all: () => answered(client.GET('/api/v1/kiosks')),

  add: (body: ScreenNew, write: Write) =>
    answered(client.POST('/api/v1/kiosks', { ...written(write), body })),

  remove: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/kiosks/{kiosk_id}', {
        params: { path: { kiosk_id: id } },
        ...written(write),
      }),
    ),

  /** Become the screen whose link has `key`. */
  open: (key: string) => answered(client.POST('/api/v1/kiosk', { body: { key } })),

  /** Which screen this browser is. */
  own: () => answered(client.GET('/api/v1/kiosk')),
}
