/** The calls about duty: shifts, teams, leave, and the calendar. */
import { answered, client, written, type Write } from './call'
import type { CalendarDayChange, LeaveNew, OverrideNew, TeamChange } from './types'

export const roster = {
  duty: () => answered(client.GET('/api/v1/duty')),

  days: (from: string, to: string) =>
    answered(client.GET('/api/v1/roster', { params: { query: { from, to } } })),

  overrides: (from: string, to: string) =>
    answered(client.GET('/api/v1/roster/overrides', { params: { query: { from, to } } })),

  override: (body: OverrideNew, write: Write) =>
    answered(client.POST('/api/v1/roster/overrides', { ...written(write), body })),

  removeOverride: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/roster/overrides/{override_id}', {
        params: { path: { override_id: id } },
        ...written(write),
      }),
    ),

  leaves: (from: string, to: string) =>
    answered(client.GET('/api/v1/roster/leaves', { params: { query: { from, to } } })),

  addLeave: (body: LeaveNew, write: Write) =>
    answered(client.POST('/api/v1/roster/leaves', { ...written(write), body })),

  removeLeave: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/roster/leaves/{leave_id}', {
        params: { path: { leave_id: id } },
        ...written(write),
      }),
    ),

  teams: () => answered(client.GET('/api/v1/teams')),

  setTeam: (id: string, body: TeamChange, write: Write) =>
    answered(
      client.PUT('/api/v1/teams/{team_id}', {
        params: { path: { team_id: id } },
        ...written(write),
        body,
      }),
    ),

  removeTeam: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/teams/{team_id}', {
        params: { path: { team_id: id } },
        ...written(write),
      }),
    ),

  shifts: () => answered(client.GET('/api/v1/shifts')),

  calendar: (year: number) =>
    answered(client.GET('/api/v1/calendar', { params: { query: { year } } })),

  setDay: (date: string, body: CalendarDayChange, write: Write) =>
    answered(
      client.PUT('/api/v1/calendar/{date}', {
        params: { path: { date } },
        ...written(write),
        body,
      }),
    ),

  clearDay: (date: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/calendar/{date}', { params: { path: { date } }, ...written(write) }),
    ),
}
