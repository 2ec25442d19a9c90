import { access } from './access.ts'
import { activity } from './activity.ts'
import { approvals } from './approvals.ts'
import { computations } from './computations.ts'
import { data } from './data.ts'
import { declassify } from './declassify.ts'
import { errors } from './errors.ts'
import { home } from './home.ts'
import { identities } from './identities.ts'
import { node } from './node.ts'
import { predicates } from './predicates.ts'
import { settings } from './settings.ts'
import { share } from './share.ts'
import { shell } from './shell.ts'
import { ui } from './ui.ts'
import { unlock } from './unlock.ts'
import { welcome } from './welcome.ts'

export const en = {
  ui,
  errors,
  shell,
  welcome,
  unlock,
  home,
  data,
  settings,
  activity,
  share,
  identities,
  predicates,
  access,
  approvals,
  computations,
  declassify,
  node,
} as const
