/** The calls about the equipment register: records, papers, workbooks, labels. */
import { answered, client, written, type Write } from './call'
import type { Album } from './attachments'
import type { Problem, RegisterImportJob, RegisterPut, RegisterQuery } from './types'

const ROOT = '/api/v1/register'

/** Where the papers of a piece of equipment are. */
export const ofEquipment = (equipment: string): Album => ({
  add: `${ROOT}/${encodeURIComponent(equipment)}/attachments`,
  one: (id) => `/api/v1/attachments/${encodeURIComponent(id)}`,
})

/** What is chosen of the register, as the end of an address. */
function chosen(query: { area: string; class: string }): string {
  const said = Object.entries(query).filter(([, value]) => value !== '')
  return said.length > 0 ? `?${new URLSearchParams(said).toString()}` : ''
}

async function begun(file: Blob, dryRun: boolean, write: Write): Promise<{
  data?: RegisterImportJob
  error?: Partial<Problem>
  response: Response
}> {
  const response = await fetch(`/api/v1/register-imports${dryRun ? '?dry_run=true' : ''}`, {
    method: 'POST',
    credentials: 'same-origin',
    body: file,
    ...written(write),
  })
  const told: unknown = await response.json().catch(() => undefined)
  return response.ok
    ? { data: told as RegisterImportJob, response }
    : { error: (told ?? {}) as Partial<Problem>, response }
}

export const register = {
  page: (query: RegisterQuery) => answered(client.GET('/api/v1/register', { params: { query } })),

  book: () => answered(client.GET('/api/v1/register-book')),

  one: (equipment: string) =>
    answered(
      client.GET('/api/v1/register/{equipment_id}', { params: { path: { equipment_id: equipment } } }),
    ),

  past: (equipment: string) =>
    answered(
      client.GET('/api/v1/register/{equipment_id}/past', {
        params: { path: { equipment_id: equipment } },
      }),
    ),

  runHours: (equipment: string) =>
    answered(
      client.GET('/api/v1/register/{equipment_id}/run-hours', {
        params: { path: { equipment_id: equipment } },
      }),
    ),

  put: (equipment: string, body: RegisterPut, write: Write) =>
    answered(
      client.PUT('/api/v1/register/{equipment_id}', {
        params: { path: { equipment_id: equipment } },
        ...written(write),
        body,
      }),
    ),

  /** A job: what a workbook changes, or with `dryRun` would change, with all its mistakes. */
  import: (file: Blob, dryRun: boolean, write: Write) => answered(begun(file, dryRun, write)),

  imported: (id: string) =>
    answered(
      client.GET('/api/v1/register-imports/{import_id}', { params: { path: { import_id: id } } }),
    ),

  workbook: (query: { area: string; class: string }) => `${ROOT}.xlsx${chosen(query)}`,

  labels: (query: { area: string; class: string }) => `${ROOT}-labels${chosen(query)}`,

  label: (equipment: string) => `${ROOT}-labels?equipment=${encodeURIComponent(equipment)}`,
}
