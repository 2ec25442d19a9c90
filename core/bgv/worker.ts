import { workerData } from 'node:worker_threads'
import { serve } from '../base/thread-service.ts'
import type { BgvOptions } from './parameters.ts'
import { BgvService } from './service.ts'

serve(new BgvService(workerData as BgvOptions))
