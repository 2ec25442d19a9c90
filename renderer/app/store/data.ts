import { type Input, wholeRecord } from '../../../core/ipc/index.ts'
import { call } from './client.ts'
import { query } from './query.ts'

export const records = query('data.list', { on: ['data', 'sharing'] })
/** One record with its decrypted value: forgotten when no screen shows it. */
export const record = query('data.get', {
  on: ['data', 'sharing'],
  forget: true,
  load: (input) => wholeRecord(call, input),
})

export const data = {
  add: (input: Input<'data.add'>) => call('data.add', input),
  addFile: (input: Input<'data.addFile'>) => call('data.addFile', input),
  update: (input: Input<'data.update'>) => call('data.update', input),
  remove: (id: string, purge = false) => call('data.remove', { id, purge }),
  undelete: (id: string) => call('data.undelete', { id }),
  restoreVersion: (id: string, version: number) => call('data.restoreVersion', { id, version }),
  previewImport: (input: Input<'data.previewImport'>) => call('data.previewImport', input),
  importTable: (input: Input<'data.import'>) => call('data.import', input),
  saveFile: (id: string) => call('data.saveFile', { id }),
}
