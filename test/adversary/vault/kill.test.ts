import { expect, it } from 'vitest'
import { killRuns } from './kill.script.ts'

it('kill -9 of a writer loses nothing that was acknowledged', async () => {
  const { problems, acknowledged } = await killRuns(6)
  expect(problems).toEqual([])
  expect(acknowledged).toBeGreaterThan(0)
})
