/** A roster as a picture: teams by days. */
import type { Leave, ShiftDay, Team } from '@/client/types'
import type { Day } from './days.ts'

/** What one team does on one day. */
export interface Cell {
  team: Team
  date: Day
  shifts: ShiftDay[]
  /** Members of the team who are on leave on this day. */
  away: string[]
}

/** A row of cells for each day, in the order of `teams`. */
export function cells(
  days: readonly Day[],
  teams: readonly Team[],
  shifts: readonly ShiftDay[],
  leaves: readonly Leave[],
): { date: Day; cells: Cell[] }[] {
  return days.map((date) => ({
    date,
    cells: teams.map((team) => ({
      team,
      date,
      shifts: shifts.filter((shift) => shift.date === date && shift.team.id === team.id),
      away: team.members.filter((username) =>
        leaves.some(
          (leave) => leave.username === username && leave.from <= date && date <= leave.to,
        ),
      ),
    })),
  }))
}
