import { expect, test } from 'vitest'
import { measureGas, recordedGas } from '../bench/gas.ts'

test('the gas figures in the README are the measured ones', async () => {
  const recorded = await recordedGas()
  const measured = await measureGas()
  expect(measured.map(([name]) => name)).toEqual([...recorded.keys()])
  for (const [name, gas] of measured) {
    const claimed = recorded.get(name)!
    // Zero bytes in timestamps and addresses move the price of calldata a little.
    expect(Math.abs(gas - claimed), `${name}: ${gas} instead of ${claimed}`).toBeLessThan(claimed * 0.02)
  }
})
