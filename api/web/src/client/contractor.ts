/** The calls by a contractor's link, without a log-in. */
import { answered, client, written, type Write } from './call'
import type { Completion, PublicOrder, Suspension } from './types'

export type PlainStep = 'accept' | 'arrive' | 'start' | 'resume'

function by(token: string, write: Write) {
  return { params: { path: { token } }, ...written(write) }
}

export const contractor = {
  one: (token: string) =>
    answered(client.GET('/api/v1/public/links/{token}', { params: { path: { token } } })),

  step: (token: string, step: PlainStep, write: Write): Promise<PublicOrder> => {
    switch (step) {
      case 'accept':
        return answered(client.POST('/api/v1/public/links/{token}/accept', by(token, write)))
      case 'arrive':
        return answered(client.POST('/api/v1/public/links/{token}/arrive', by(token, write)))
      case 'start':
        return answered(client.POST('/api/v1/public/links/{token}/start', by(token, write)))
      case 'resume':
        return answered(client.POST('/api/v1/public/links/{token}/resume', by(token, write)))
    }
  },

  suspend: (token: string, body: Suspension, write: Write) =>
    answered(client.POST('/api/v1/public/links/{token}/suspend', { ...by(token, write), body })),

  tick: (token: string, step: number, done: boolean, write: Write) =>
    answered(
      client.POST('/api/v1/public/links/{token}/steps/{step}', {
        params: { path: { token, step } },
        ...written(write),
        body: { done },
      }),
    ),

  complete: (token: string, body: Completion, write: Write) =>
    answered(client.POST('/api/v1/public/links/{token}/complete', { ...by(token, write), body })),
}
