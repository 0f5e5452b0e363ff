/** A record as a form has it: every field a text, so that what is half typed stays. */
import type { RegisterAttributes, RegisterPut, RegisterRecord } from '@/client/types'
import { numberOf } from '@/model/drafts'

export type Field = keyof RegisterAttributes

/** Of equipment that the site file has, that says the first four. */
export const OWN: readonly Field[] = ['name_zh', 'name_en', 'area', 'equipment_class']
export const TEXTS: readonly Field[] = ['model', 'serial', 'manufacturer', 'supplier', 'supplier_phone', 'team', 'place']
export const DAYS: readonly Field[] = [
  'purchased_on',
  'installed_on',
  'commissioned_on',
  'warranty_until',
  'retired_on',
]

export interface DateDraft {
  kind: string
  last_on: string
  next_due: string
  who: string
}

export interface PartDraft {
  name: string
  model: string
  quantity: string
  minimum: string
  place: string
}

export interface RecordDraft {
  equipment: string
  attributes: Record<Field, string>
  dates: DateDraft[]
  parts: PartDraft[]
}

const FIELDS: readonly Field[] = [...OWN, ...TEXTS, ...DAYS, 'remark']

export function draftOf(record: RegisterRecord | null): RecordDraft {
  const said = FIELDS.map((name) => [name, record?.attributes[name] ?? ''])
  return {
    equipment: record?.equipment ?? '',
    attributes: Object.fromEntries(said) as Record<Field, string>,
    dates: (record?.dates ?? []).map((one) => ({
      kind: one.kind,
      last_on: one.last_on ?? '',
      next_due: one.next_due,
      who: one.who ?? '',
    })),
    parts: (record?.parts ?? []).map((one) => ({
      name: one.name,
      model: one.model ?? '',
      quantity: String(one.quantity),
      minimum: String(one.minimum ?? ''),
      place: one.place ?? '',
    })),
  }
}

export const noDate = (): DateDraft => ({ kind: '', last_on: '', next_due: '', who: '' })
export const noPart = (): PartDraft => ({ name: '', model: '', quantity: '1', minimum: '', place: '' })

/** A field of a row, as the server calls it. */
export const placeOf = (list: 'dates' | 'parts', at: number, name: string): string =>
  [list, at, name].join('.')

/** Which fields say nothing complete, by their names. */
export function missing(draft: RecordDraft, reached: boolean): string[] {
  const needed: readonly Field[] = reached ? [] : ['name_zh', 'area', 'equipment_class']
  const found: string[] = needed.filter((name) => draft.attributes[name].trim() === '')
  if (!/^[a-z0-9][a-z0-9-]*$/.test(draft.equipment)) found.push('equipment')
  draft.dates.forEach((one, at) => {
    if (one.kind === '') found.push(placeOf('dates', at, 'kind'))
    if (one.next_due === '') found.push(placeOf('dates', at, 'next_due'))
  })
  draft.parts.forEach((one, at) => {
    const quantity = numberOf(one.quantity)
    const minimum = numberOf(one.minimum)
    if (one.name.trim() === '') found.push(placeOf('parts', at, 'name'))
    if (quantity === null || !(quantity >= 0)) found.push(placeOf('parts', at, 'quantity'))
    if (minimum !== null && !(minimum >= 0)) found.push(placeOf('parts', at, 'minimum'))
  })
  return found
}

const said = (text: string): string | null => (text.trim() === '' ? null : text.trim())

export function bodyOf(draft: RecordDraft, version: number): RegisterPut {
  const attributes = Object.fromEntries(FIELDS.map((name) => [name, said(draft.attributes[name])]))
  return {
    version,
    attributes,
    dates: draft.dates.map(({ kind, last_on, next_due, who }) => ({
      kind,
      last_on: said(last_on),
      next_due,
      who: said(who),
    })),
    parts: draft.parts.map(({ name, model, quantity, minimum, place }) => ({
      name: name.trim(),
      model: said(model),
      quantity: numberOf(quantity) ?? 0,
      minimum: numberOf(minimum),
      place: said(place),
    })),
  }
}
