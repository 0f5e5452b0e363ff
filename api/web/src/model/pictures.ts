/** Photographs as they are sent: small enough for a weak network, large enough to see a nameplate. */

/** Pixels of the longer side. */
export const LONGEST = 1600
const QUALITY = 0.82

/** Width and height of a picture whose longer side is `most` at most. */
export function fitted(
  width: number,
  height: number,
  most = LONGEST,
): { width: number; height: number } {
  const share = Math.min(1, most / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * share)), height: Math.max(1, Math.round(height * share)) }
}

/** Pixels of a picture that stands beside a line. */
const SMALL = 160

/**
 * The picture as a JPEG, upright. One that the browser cannot read goes as it is: the server says
 * what is wrong with it.
 */
export async function compressed(file: Blob): Promise<Blob> {
  const canvas = await drawn(file, LONGEST)
  if (canvas === null) return file
  const made = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', QUALITY))
  return made ?? file
}

/** The picture as a small one, as an address of the kind `data:`; empty: it cannot be read. */
export async function thumbnail(file: Blob): Promise<string> {
  return (await drawn(file, SMALL))?.toDataURL('image/jpeg', QUALITY) ?? ''
}

/** Bytes that the server takes of one. */
export const MOST_BYTES = 10 * 1024 * 1024
const HEADS: readonly (readonly (number | null)[])[] = [
  [0xff, 0xd8, 0xff],
  [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50],
]

/** Why the server would not take it: it is too large, or no JPEG, PNG or WebP; null: it would. */
export async function wrongWith(file: Blob): Promise<'large' | 'unreadable' | null> {
  if (file.size > MOST_BYTES) return 'large'
  const bytes = new Uint8Array(await file.slice(0, 12).arrayBuffer())
  const known = HEADS.some((head) => head.every((byte, at) => byte === null || byte === bytes[at]))
  return known ? null : 'unreadable'
}

/** The picture, upright, with a longer side of `most` pixels at most; null: it cannot be read. */
async function drawn(file: Blob, most: number): Promise<HTMLCanvasElement | null> {
  let picture: ImageBitmap
  try {
    picture = await createImageBitmap(file, { imageOrientation: 'from-image' })
  } catch {
    return null
  }
  const { width, height } = fitted(picture.width, picture.height, most)
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  const brush = canvas.getContext('2d')
  brush?.drawImage(picture, 0, 0, width, height)
  picture.close()
  // Without memory for it there is no brush: better the picture as it is than an empty one.
  return brush === null ? null : canvas
}
