import { afterEach, beforeEach, expect, it } from 'vitest'
import { silentLog } from '../../../core/base/log.ts'
import { Events } from '../../../core/node/events.ts'
import { JobRunner } from '../../../core/node/jobs.ts'
import { type NodeStorage, openNodeStorage } from '../../../core/storage/node-storage.ts'

interface State {
  jobId: string
  refs: string[]
}

let storage: NodeStorage

beforeEach(() => {
  storage = openNodeStorage(':memory:')
})
afterEach(() => {
  storage.close()
})

const runner = () => new JobRunner({ store: storage.jobs, events: new Events(silentLog), log: silentLog })
const refs = Array.from({ length: 5000 }, (_, i) => `reference ${i}`)

it('a job that is over is still found, without the lists that it needed', async () => {
  const jobs = runner()
  let seen: State | undefined
  jobs.register<State>('result', async (job) => {
    job.update('inputs', 0.5)
    seen = job.state
    return { value: '3' }
  })
  const id = jobs.start<State>('result', 'mean', { jobId: '0x1', refs })
  expect(await jobs.finished(id)).toMatchObject({ state: 'done', title: 'mean', result: { value: '3' } })
  expect(seen).toEqual({ jobId: '0x1', refs })
  expect(jobs.find<State>('result', (state) => state.jobId === '0x1')).toBe(id)
  expect(storage.jobs.get(id)?.data).toMatchObject({ state: { jobId: '0x1' } })
  expect(JSON.stringify(storage.jobs.get(id)).length).toBeLessThan(1000)
})

it('a job that was interrupted goes on with all that it needs', async () => {
  const first = runner()
  first.register<State>('result', async (job) => {
    await new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(new Error('stopped'))))
    return {}
  })
  const id = first.start<State>('result', 'mean', { jobId: '0x1', refs })
  await first.stop()
  const second = runner()
  let seen: State | undefined
  second.register<State>('result', async (job) => {
    seen = job.state
    return {}
  })
  second.resume()
  expect(await second.finished(id)).toMatchObject({ state: 'done' })
  expect(seen).toEqual({ jobId: '0x1', refs })
})
