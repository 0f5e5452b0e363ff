/** The calls about people: who they are, their sessions, tokens of machines, and the audit. */
import { answered, client, written, type Write } from './call'
import type { PersonChange, PersonNew, TokenNew } from './types'

export const people = {
  roles: () => answered(client.GET('/api/v1/roles')),

  /** `active` null: those who left, too. */
  all: (active: boolean | null) =>
    answered(client.GET('/api/v1/people', { params: { query: { active } } })),

  one: (username: string) =>
    answered(client.GET('/api/v1/people/{username}', { params: { path: { username } } })),

  add: (body: PersonNew, write: Write) =>
    answered(client.POST('/api/v1/people', { ...written(write), body })),

  change: (username: string, body: PersonChange, write: Write) =>
    answered(
      client.PATCH('/api/v1/people/{username}', {
        params: { path: { username } },
        ...written(write),
        body,
      }),
    ),

  setPassword: (username: string, password: string, write: Write) =>
    answered(
      client.POST('/api/v1/people/{username}/password', {
        params: { path: { username } },
        ...written(write),
        body: { password },
      }),
    ),

  endSessions: (username: string, write: Write) =>
    answered(
      client.POST('/api/v1/people/{username}/sessions/revoke', {
        params: { path: { username } },
        ...written(write),
      }),
    ),

  /** Without a name: one's own. */
  sessions: (username: string | null) =>
    answered(client.GET('/api/v1/sessions', { params: { query: { username } } })),

  endSession: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/sessions/{session_id}', {
        params: { path: { session_id: id } },
        ...written(write),
      }),
    ),

  changePassword: (old: string, password: string, write: Write) =>
    answered(
      client.POST('/api/v1/me/password', { ...written(write), body: { old, new: password } }),
    ),

  setPin: (password: string, pin: string, write: Write) =>
    answered(client.PUT('/api/v1/me/pin', { ...written(write), body: { password, pin } })),

  removePin: (write: Write) => answered(client.DELETE('/api/v1/me/pin', written(write))),

  tokens: () => answered(client.GET('/api/v1/tokens')),

  addToken: (body: TokenNew, write: Write) =>
    answered(client.POST('/api/v1/tokens', { ...written(write), body })),

  removeToken: (id: string, write: Write) =>
    answered(
      client.DELETE('/api/v1/tokens/{token_id}', {
        params: { path: { token_id: id } },
        ...written(write),
      }),
    ),

  audit: (cursor: string | null, by: string | null, subject: string | null) =>
    answered(
      client.GET('/api/v1/audit', { params: { query: { limit: 100, cursor, by, subject } } }),
    ),

  verifyAudit: () => answered(client.GET('/api/v1/audit/verify')),
}
