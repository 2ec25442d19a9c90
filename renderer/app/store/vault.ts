import type { Input } from '../../../core/ipc/index.ts'
import { call, onNodeEvent } from './client.ts'
import { forgetVault, query, recallVault } from './query.ts'

export const appInfo = query('app.info', { on: ['node'], whileLocked: true })
export const vaultStatus = query('vault.status', { on: ['vault'], whileLocked: true })

// Another window, the tray or the clock may lock the vault: then nothing of it may stay in memory here.
onNodeEvent((event) => {
  if (event.type !== 'vault') return
  void call('vault.status', {})
    .then((status) => {
      if (status.state === 'unlocked') recallVault()
      else forgetVault()
    })
    .catch(() => undefined)
})

async function settled<T>(work: Promise<T>): Promise<T> {
  const result = await work
  await vaultStatus.refresh({})
  return result
}

/** Passwords and phrases pass through to the node and are kept nowhere. */
export const vault = {
  create: (password: string) => call('vault.create', { password }),
  unlock: (password: string) => settled(call('vault.unlock', { password })),
  restore: (phrase: string, password: string) => call('vault.restore', { phrase, password }),
  changePassword: (current: string, next: string) => call('vault.changePassword', { current, next }),
  rehearse: (phrase: string) => settled(call('vault.rehearse', { phrase })),
  exportTo: (input: Input<'vault.export'>) => settled(call('vault.export', input)),
  importFrom: (input: Input<'vault.import'>) => call('vault.import', input),
  async lock(): Promise<void> {
    forgetVault()
    await settled(call('vault.lock', {}))
    forgetVault()
  },
}
