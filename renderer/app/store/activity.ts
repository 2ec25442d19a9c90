import { call } from './client.ts'
import { query } from './query.ts'

export const activity = query('activity.list', { on: ['activity'] })
export const activityCheck = query('activity.verify', { on: ['activity'] })

export const exportActivity = () => call('activity.export', {})
