/**
 * What was written on this phone and what becomes of it: waiting, sent, or not taken.
 *
 * Nothing is ever taken back in silence: what the server has taken stays here until what is
 * fetched shows it, and what it has not taken stays until a person has seen why.
 */

export type EntryKind =
  | 'round_item'
  | 'round_finish'
  | 'order_accept'
  | 'order_arrive'
  | 'order_start'
  | 'order_resume'
  | 'order_decline'
  | 'order_suspend'
  | 'order_tick'
  | 'order_complete'

export interface Entry {
  /** A UUID, under which the server takes it once, however often it is sent. */
  id: string
  /** In this order they were written, and are sent. */
  seq: number
  /** Who wrote it: nobody else sees or sends it. */
  by: string
  kind: EntryKind
  /** The round or the order. */
  subject: string
  /** The line of a round. */
  item: string | null
  /** The subject as it was seen: what the server holds against what it has. */
  version: string
  /** By the phone's own clock; the server knows how that one goes. */
  entered_at: string
  body: Readonly<Record<string, unknown>>
  state: 'waiting' | 'sent' | 'conflict' | 'refused'
  /** It may have arrived: it must not be exchanged for another one any more. */
  tried: boolean
  /** When the server took it, by the server's clock. */
  received_at: string | null
  said: Said | null
}

/** What stood in the way of an entry: who did what, and when. */
export interface Theirs {
  state: string | null
  event?: string | null
  by: string | null
  by_name: string | null
  at: string | null
  value: boolean | number | string | null
  passed: boolean | null
  note: string | null
  assigned_name: string | null
}

/** What the server said of something that it did not take, or took with a remark. */
export interface Said {
  /** A word of the protocol, such as `two_answers`; or of this phone's own, see `HERE`. */
  reason: string | null
  /** In the server's own words. */
  detail: string | null
  theirs: Theirs | null
}

/**
 * Why something is given up that the server has not kept: it does not understand it, or the picture
 * is not on the phone any more.
 */
export const HERE = ['not_understood', 'picture_gone'] as const

/** Whether nobody but this phone has it. */
export function isOnlyHere({ state, said }: Pick<Entry | Photo, 'state' | 'said'>): boolean {
  return state === 'refused' && (HERE as readonly (string | null)[]).includes(said?.reason ?? null)
}

/** The version of what is not on the phone any more: the server takes it as having seen nothing. */
export const UNSEEN = '0'

export interface Photo {
  id: string
  by: string
  subject: string
  of: 'round_item' | 'order'
  item: string | null
  version: string
  entered_at: string
  size: number
  /** A small picture of it, as an address of the kind `data:`. */
  thumb: string
  state: Entry['state']
  received_at: string | null
  said: Said | null
}

/** What became of one entry or photograph. */
export interface Result {
  id: string
  outcome: 'applied' | 'known' | 'conflict' | 'refused'
  /** Of a known one: what became of it then. */
  first?: 'applied' | 'conflict' | 'refused' | null
  reason?: string | null
  detail?: string | null
  conflict?: { theirs: Theirs | null } | null
}

/** What is sent next: a few entries at once, or one photograph. */
export type Next =
  | { what: 'entries'; entries: readonly Entry[] }
  | { what: 'photo'; photo: Photo }
  | null

/** So many entries go in one request at most, and so many bytes; the server takes 256 KB. */
const MOST = 50
const BYTES = 200_000
/** What goes with each body: ids, times, names. */
const ENVELOPE = 1000

/**
 * In the order in which they were written, before photographs, which take long over a weak
 * network; but a round is signed when its photographs are there, and what comes after that waits.
 * `aside`: photographs that are not tried now.
 */
export function next(
  entries: readonly Entry[],
  photos: readonly Photo[],
  aside: ReadonlySet<string> = new Set(),
): Next {
  const open = photos.filter(({ state }) => state === 'waiting')
  const held = new Set<string>()
  const batch: Entry[] = []
  let bytes = 0
  for (const entry of [...entries].sort(bySeq)) {
    if (entry.state !== 'waiting') continue
    const lacks = open.some(({ subject }) => subject === entry.subject)
    if (entry.kind === 'round_finish' && lacks) held.add(entry.subject)
    if (held.has(entry.subject)) continue
    bytes += ENVELOPE + new TextEncoder().encode(JSON.stringify(entry.body)).length
    if (batch.length > 0 && (batch.length === MOST || bytes > BYTES)) break
    batch.push(entry)
  }
  if (batch.length > 0) return { what: 'entries', entries: batch }
  const photo = open.find(({ id }) => !aside.has(id))
  return photo === undefined ? null : { what: 'photo', photo }
}

export function bySeq(one: Pick<Entry, 'seq'>, other: Pick<Entry, 'seq'>): number {
  return one.seq - other.seq
}

/** How an entry or a photograph stands after the server's word on it, at `received_at` by its clock. */
export function settled(
  { outcome, first, reason = null, detail = null, conflict }: Result,
  received_at: string,
): Pick<Entry, 'state' | 'received_at' | 'said'> {
  const became = outcome === 'known' ? (first ?? 'applied') : outcome
  return {
    state: became === 'applied' ? 'sent' : became,
    received_at,
    said: { reason, detail, theirs: conflict?.theirs ?? null },
  }
}

/** The ids of what need not be kept any more, once what was fetched is of `made_at`. */
export function shown(
  kept: readonly Pick<Entry | Photo, 'id' | 'state' | 'received_at'>[],
  made_at: string,
): string[] {
  const made = Date.parse(made_at)
  return kept
    .filter(({ state, received_at }) => state === 'sent' && Date.parse(received_at ?? '') <= made)
    .map(({ id }) => id)
}

/** The entry that `later` may take the place of: the same question, and never sent. */
export function replaceable(
  entries: readonly Entry[],
  later: Pick<Entry, 'kind' | 'subject' | 'item'>,
): Entry | null {
  if (later.kind !== 'round_item') return null
  return (
    entries.find(
      (one) =>
        one.kind === 'round_item' &&
        one.subject === later.subject &&
        one.item === later.item &&
        one.state === 'waiting' &&
        !one.tried,
    ) ?? null
  )
}

/** The tick of a step that has not gone out yet: it can be taken back as if it had never been. */
export function untriedTick(entries: readonly Entry[], subject: string, step: number): Entry | null {
  const last = entries
    .filter((one) => one.kind === 'order_tick' && one.subject === subject && one.body['step'] === step)
    .sort(bySeq)
    .at(-1)
  return last !== undefined && last.state === 'waiting' && !last.tried ? last : null
}

/** What has not arrived, and what was not taken. */
export interface Count {
  entries: number
  photos: number
  /** The server did not take them, and nobody has seen why yet. */
  refused: number
}

export function count(entries: readonly Entry[], photos: readonly Photo[]): Count {
  const waits = ({ state }: { state: string }): boolean => state === 'waiting'
  const fell = ({ state }: { state: string }): boolean => state === 'conflict' || state === 'refused'
  return {
    entries: entries.filter(waits).length,
    photos: photos.filter(waits).length,
    refused: entries.filter(fell).length + photos.filter(fell).length,
  }
}

/** ms until the next try, after so many that came to nothing. */
export function wait(failures: number): number {
  return Math.min(60_000, 2000 * 2 ** Math.min(failures, 5))
}
