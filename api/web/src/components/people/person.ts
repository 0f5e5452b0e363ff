/** What people have that several parts of the page tell. */
import type { Certificate, Person, PersonNew, RoleWord } from '@/client/types'

/** Characters; the server asks for the same. */
export const LEAST_PASSWORD = 8

/** What is no longer good or soon will not be, in the colours of alarms. */
export const CERTIFICATE_TONES: Readonly<Record<Certificate['state'], 'critical' | 'major' | ''>> = {
  expired: 'critical',
  expiring: 'major',
  valid: '',
  unlimited: '',
}

/** The certificates that need somebody's attention, the worst first. */
export function troubling(certificates: readonly Certificate[]): Certificate[] {
  return certificates
    .filter(({ state }) => state === 'expired' || state === 'expiring')
    .toSorted((one, other) => (one.expires_on ?? '').localeCompare(other.expires_on ?? ''))
}

/** A certificate as it is written down; `expires_on` empty: it never ends. */
export interface CertificateDraft {
  name: string
  number: string
  expires_on: string
}

/** A person as it is written down. */
export interface Draft {
  username: string
  display_name: string
  role: RoleWord
  areas: string[]
  skills: string[]
  certificates: CertificateDraft[]
  phone: string
  mention: string
  contractor: boolean
  can_log_in: boolean
  password: string
}

/** What is written down of `person`; of a new one, nothing yet. */
export function draftOf(person: Person | null): Draft {
  return {
    username: person?.username ?? '',
    display_name: person?.display_name ?? '',
    role: person?.role ?? 'technician',
    areas: [...(person?.areas ?? [])],
    skills: [...(person?.skills ?? [])],
    certificates: (person?.certificates ?? []).map(({ name, number, expires_on }) => ({
      name,
      number,
      expires_on: expires_on ?? '',
    })),
    phone: person?.phone ?? '',
    mention: person?.mention ?? '',
    contractor: person?.contractor ?? false,
    can_log_in: person?.can_log_in ?? true,
    password: '',
  }
}

/** What the server is told of a draft, but the log-in name and the password. */
export function changeOf(draft: Draft): Omit<PersonNew, 'username' | 'active' | 'password'> {
  return {
    display_name: draft.display_name.trim(),
    role: draft.role,
    areas: draft.areas,
    skills: draft.skills,
    certificates: draft.certificates
      .filter(({ name }) => name.trim() !== '')
      .map(({ name, number, expires_on }) => ({
        name: name.trim(),
        number: number.trim(),
        expires_on: expires_on || null,
      })),
    phone: draft.phone.trim() || null,
    mention: draft.mention.trim() || null,
    contractor: draft.contractor,
    can_log_in: draft.can_log_in,
  }
}
