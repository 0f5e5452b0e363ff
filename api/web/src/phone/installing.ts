/** How a page comes onto the home screen of a phone; browsers have no common way to ask. */

/** `menu`: by the browser's menu; `share`: by Safari's button; `elsewhere`: not by this browser at all. */
export type Way = 'menu' | 'share' | 'elsewhere'

/** `agent`: what the browser calls itself. */
export function wayOf(agent: string): Way {
  // The browsers inside WeChat, WeCom, DingTalk and QQ.
  if (/MicroMessenger|wxwork|DingTalk|\bQQ\//i.test(agent)) return 'elsewhere'
  return /iPhone|iPad|iPod/.test(agent) ? 'share' : 'menu'
}
