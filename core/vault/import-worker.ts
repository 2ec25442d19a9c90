import { serve } from '../base/thread-service.ts'
import { importer } from './import.ts'

serve(importer)
