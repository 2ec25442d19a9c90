import type { Input, Predicate } from '../../../core/ipc/index.ts'
import { call } from './client.ts'
import { query } from './query.ts'

export const identities = query('identity.list', { on: ['sharing'] })
/** Shared identities that wait for my consent. */
export const invitations = query('identity.invitations', { on: ['sharing'] })
export const predicates = query('predicate.list', { on: ['sharing'] })
export const shares = query('share.list', { on: ['sharing', 'data'] })
export const access = query('access.list', { on: ['sharing', 'compute'] })
export const sharePlan = query('share.plan', { on: ['sharing', 'node'] })
/** The rule as it goes on chain; a pure function of the rule. */
export const encoding = query('predicate.encode', { on: [], forget: true })
export const predicateTest = query('predicate.test', { on: [], forget: true })
/** Revealed values: gone when the dialog closes. */
export const revealed = query('declassify.result', { on: [], forget: true })

export const sharing = {
  createIdentity: (input: Input<'identity.create'>) => call('identity.create', input),
  join: (address: string, accept: boolean) => call('identity.join', { address, accept }),
  publishPredicate: (label: string, predicate: Predicate) => call('predicate.publish', { label, predicate }),
  share: (input: Input<'share.create'>) => call('share.create', input),
  revoke: (ref: string) => call('access.revoke', { ref }),
  declassify: (ref: string) => call('declassify.start', { ref }),
}
