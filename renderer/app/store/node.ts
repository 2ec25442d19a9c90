import { call } from './client.ts'
import { query } from './query.ts'

export const nodeStatus = query('node.status', { on: ['node'], whileLocked: true })
export const wallet = query('wallet.status', { on: ['node', 'compute', 'sharing'] })
export const checklist = query('home.checklist', {
  on: ['vault', 'data', 'sharing', 'approvals', 'node', 'compute'],
})

async function settled<T>(work: Promise<T>): Promise<T> {
  const result = await work
  await Promise.all([nodeStatus.refresh({}), wallet.refresh({})])
  return result
}

export const node = {
  pause: () => settled(call('node.pause', {})),
  resume: () => settled(call('node.resume', {})),
  register: (serve: boolean) => call('node.register', { serve }),
  faucet: () => settled(call('wallet.faucet', {})),
}
