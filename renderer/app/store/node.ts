import { useEffect } from 'react'
import { call } from './client.ts'
import { query } from './query.ts'

export const nodeStatus = query('node.status', { on: ['node'], whileLocked: true })
const REFRESH_MS = 10_000

/** The status, kept fresh: no event tells how long the node has run, what it uses, and what it has done. */
export function useFreshStatus() {
  useEffect(() => {
    const ask = () => void nodeStatus.refresh({})
    ask()
    const timer = setInterval(ask, REFRESH_MS)
    return () => clearInterval(timer)
  }, [])
  return nodeStatus.use({})
}

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
