import { serve } from '../../base/thread-service.ts'
import { AuditService } from './audit-service.ts'

serve(new AuditService())
