/** The calls about what phones without signal have entered and nobody could apply. */
import { answered, client, written, type Write } from './call'
import type { OfflineConflict, OfflineConflictPage } from './types'

/** Which of them: those that wait, those that were refused, those that somebody has decided. */
export const SIDES = ['open', 'refused', 'resolved'] as const
export type Side = (typeof SIDES)[number]

const QUERIES = {
  open: { state: 'open', outcome: 'conflict' },
  refused: { state: 'open', outcome: 'refused' },
  resolved: { state: 'resolved', outcome: 'all' },
} as const

export type Keep = 'mine' | 'theirs'

/** Where the photograph of an entry lies. */
export const photoOf = (id: string) => `/api/v1/offline/photos/${encodeURIComponent(id)}`

export const conflicts = {
  page: (side: Side, cursor: string | null, limit = 50): Promise<OfflineConflictPage> =>
    answered(
      client.GET('/api/v1/offline/conflicts', {
        params: { query: { ...QUERIES[side], cursor, limit } },
      }),
    ),

  resolve: (id: string, keep: Keep, reason: string, write: Write): Promise<OfflineConflict> =>
    answered(
      client.POST('/api/v1/offline/conflicts/{entry_id}/resolve', {
        params: { path: { entry_id: id } },
        ...written(write),
        body: { keep, reason },
      }),
    ),
}
