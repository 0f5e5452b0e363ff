/** Photographs and signatures of an order: sending one, telling how far it is, and where each lies. */
import { Failure, written, type Write } from './call'
import type { Attachment, Problem } from './types'

/** Where those of one order are: for whoever is logged in, or by a contractor's link. */
export interface Album {
  add: string
  one: (id: string) => string
}

export const ofOrder = (order: string): Album => ({
  add: `/api/v1/orders/${encodeURIComponent(order)}/attachments`,
  one: (id) => `/api/v1/attachments/${encodeURIComponent(id)}`,
})

/** Photographs of one line of a round. */
export const ofLine = (round: string, key: string): Album => ({
  add: `/api/v1/rounds/${encodeURIComponent(round)}/items/${encodeURIComponent(key)}/photos`,
  one: (id) => `/api/v1/attachments/${encodeURIComponent(id)}`,
})

export const ofLink = (token: string): Album => {
  const add = `/api/v1/public/links/${encodeURIComponent(token)}/attachments`
  return { add, one: (id) => `${add}/${encodeURIComponent(id)}` }
}

/** What is said of a file. */
export interface Said {
  kind?: 'photo' | 'signature' | 'document'
  caption?: string
  signed_by?: string
}

/** `fetch` does not tell how far an upload is; `told` hears of the share that has gone, 0 to 1. */
export function send(
  album: Album,
  file: Blob,
  said: Said,
  write: Write,
  told: (share: number) => void = () => undefined,
): Promise<Attachment> {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest()
    const query = new URLSearchParams({ ...said }).toString()
    request.open('POST', query === '' ? album.add : `${album.add}?${query}`)
    for (const [name, value] of Object.entries(written(write).headers)) {
      request.setRequestHeader(name, value)
    }
    request.setRequestHeader('Content-Type', file.type || 'application/octet-stream')
    request.responseType = 'json'
    request.upload.onprogress = ({ loaded, total }) => told(total > 0 ? loaded / total : 0)
    request.onerror = () => failed(new Failure(0, 'no answer'))
    request.onload = () => {
      if (request.status === 201) {
        done(request.response as Attachment)
        return
      }
      const problem = (request.response ?? {}) as Partial<Problem>
      failed(new Failure(request.status, problem.detail ?? request.statusText, problem))
    }
    request.send(file)
  })
}
