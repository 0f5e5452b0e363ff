/** The calls about messages to people: what was sent, how the channels are doing, trying one. */
import { answered, client, written, type Write } from './call'
import type { NoticeState } from './types'

interface Wanted {
  state?: NoticeState[]
  channel?: string[]
  digest?: string
}

export const notices = {
  page: (cursor: string | null, wanted: Wanted, limit = 50) =>
    answered(client.GET('/api/v1/notices', { params: { query: { ...wanted, limit, cursor } } })),

  channels: () => answered(client.GET('/api/v1/channels')),

  tryChannel: (id: string, write: Write) =>
    answered(
      client.POST('/api/v1/channels/{channel_id}/test', {
        params: { path: { channel_id: id } },
        ...written(write),
      }),
    ),
}
