/** Of the tabs of one browser only one sends at a time. */

const NAME = 'dutyroom.phone'
/** ms. A tab in the background may be held still by the browser while it has the turn. */
const PATIENCE = 20_000

type Locks = Pick<LockManager, 'request'>

/**
 * Do `work` while no other tab does; after `patience` anyway, for the server takes the same thing
 * once however often it comes: what a second sender costs is time, and never an entry. Over plain
 * HTTP browsers have no such locks.
 */
export async function alone<Done>(
  work: () => Promise<Done>,
  locks: Locks | undefined = navigator.locks,
  patience = PATIENCE,
): Promise<Done> {
  if (locks === undefined) return work()
  const given = new AbortController()
  const late = setTimeout(() => given.abort(), patience)
  let begun = false
  try {
    return (await locks.request(NAME, { signal: given.signal }, () => {
      begun = true
      clearTimeout(late)
      return work()
    })) as Done
  } catch (error) {
    if (begun) throw error
    return work()
  } finally {
    clearTimeout(late)
  }
}
