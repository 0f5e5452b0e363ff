/** Rows of materials as they are typed, and as they are sent. */
import type { Material } from '@/client/types'

export interface MaterialRow {
  key: number
  name: string
  quantity: string
  unit: string
  price: string
}

let keys = 0

export function newRow(): MaterialRow {
  keys += 1
  return { key: keys, name: '', quantity: '', unit: '', price: '' }
}

/** A row that a plan has filled in. */
export function rowOf(name: string, quantity: number | null, unit: string): MaterialRow {
  return { ...newRow(), name, quantity: quantity === null ? '' : String(quantity), unit }
}

/** A number as people type it, with a comma or a full-width point too; NaN: it is none. */
export function typed(figure: string): number {
  const plain = figure.trim().replace(/[,，．。]/, '.')
  return plain === '' ? NaN : Number(plain)
}

export function isEmpty({ name, quantity, price }: MaterialRow): boolean {
  return name.trim() === '' && quantity.trim() === '' && price.trim() === ''
}

/** The row as it is sent; null: something about it is missing or no number. */
export function materialOf(row: MaterialRow): Material | null {
  const name = row.name.trim()
  const quantity = row.quantity.trim() === '' ? 1 : typed(row.quantity)
  const price = row.price.trim() === '' ? null : typed(row.price)
  if (name === '' || !(quantity > 0) || (price !== null && !(price >= 0))) return null
  return { name, quantity, unit: row.unit.trim(), price }
}
