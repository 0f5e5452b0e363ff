/** The calls about rounds: what is due, filling one in, signing and countersigning it. */
import { answered, client, written, type Write } from './call'
import type { CoverageMap, FindingRow, Round, RoundEntryNew, RoundLevel, RoundSummary } from './types'

/** After so long (ms) an answer counts as not delivered; it is safe to send it again. */
const PATIENCE = 15_000

interface Wanted {
  /** The days on which they open; without: what opens today, and whatever is still open. */
  from?: string
  to?: string
  level?: RoundLevel
}

async function all(wanted: Wanted): Promise<RoundSummary[]> {
  const found: RoundSummary[] = []
  let cursor: string | null = null
  do {
    const query: Wanted & { limit: number; cursor: string | null } = {
      ...wanted,
      limit: 200,
      cursor,
    }
    const page: { items: RoundSummary[]; next: string | null } = await answered(
      client.GET('/api/v1/rounds', { params: { query } }),
    )
    found.push(...page.items)
    cursor = page.next
  } while (cursor !== null)
  return found
}

/** Where the printed form of a round lies. */
export const formOf = (id: string) => `/api/v1/rounds/${encodeURIComponent(id)}/record.pdf`

export const rounds = {
  all,

  one: (id: string) =>
    answered(client.GET('/api/v1/rounds/{round_id}', { params: { path: { round_id: id } } })),

  enter: (id: string, item: string, body: RoundEntryNew) =>
    answered(
      client.POST('/api/v1/rounds/{round_id}/items/{key}', {
        params: { path: { round_id: id, key: item } },
        body,
        signal: AbortSignal.timeout(PATIENCE),
      }),
    ),

  finish: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/rounds/{round_id}/finish', {
        params: { path: { round_id: id } },
        ...written(write),
        body: { note },
      }),
    ),

  /** Whether a signed line, looked at again, is as it was written. */
  spotCheck: (
    id: string,
    item: string,
    body: { agrees: boolean; note: string | null },
    write: Write,
  ): Promise<Round> =>
    answered(
      client.POST('/api/v1/rounds/{round_id}/items/{key}/spot-check', {
        params: { path: { round_id: id, key: item } },
        ...written(write),
        body,
      }),
    ),

  findings: (
    open: boolean | null,
    cursor: string | null,
  ): Promise<{ items: FindingRow[]; next: string | null }> =>
    answered(client.GET('/api/v1/findings', { params: { query: { open, cursor } } })),

  coverage: (): Promise<CoverageMap> => answered(client.GET('/api/v1/coverage')),

  countersign: (id: string, note: string | null, write: Write) =>
    answered(
      client.POST('/api/v1/rounds/{round_id}/countersign', {
        params: { path: { round_id: id } },
        ...written(write),
        body: { note },
      }),
    ),
}
