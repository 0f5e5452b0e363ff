/** How far telemetry has shown that a repair holds, in words. */
import type { Order, OrderProof } from '@/client/types'
import { useWords } from '@/words'

/** What is still missing of it, 0 to 1: of cycles and time the one that comes first. */
function missing(proof: OrderProof): number {
  const time = proof.in_band_s / Math.max(proof.in_band_needed_s, 1)
  const cycles = proof.cycles_needed === null ? 0 : proof.cycles / proof.cycles_needed
  return 1 - Math.max(time, cycles)
}

/** What counts most, and what would do as well; empty where nothing is watched. */
export function useProof(): (order: Order) => [] | [string] | [string, string] {
  const { t, duration } = useWords()

  return ({ state, proofs }) => {
    const [last] = [...proofs].sort((one, other) => missing(other) - missing(one))
    if (state !== 'completed' || last === undefined) return []
    const { cycles: n, cycles_needed: of, stand } = last
    const span = duration(last.in_band_s * 1000)
    const time = { span, of: duration(last.in_band_needed_s * 1000) }
    const how = t(`order.proof.${stand}`)
    if (of === null) return [t('order.proof.time', time), how]
    return [t('order.proof.cycles', { n, of, how }), t('order.proof.orTime', time)]
  }
}
