import {
  Activity,
  Calculator,
  ClipboardCheck,
  Database,
  House,
  KeyRound,
  type LucideIcon,
  Scale,
  Server,
  Settings,
  Users,
} from 'lucide-react'
import type { MessageKey } from '../i18n/index.ts'

export const SCREENS = [
  'home',
  'data',
  'access',
  'identities',
  'predicates',
  'approvals',
  'computations',
  'node',
  'activity',
  'settings',
] as const
export type Screen = (typeof SCREENS)[number]

export const screenIcons: Record<Screen, LucideIcon> = {
  home: House,
  data: Database,
  access: KeyRound,
  identities: Users,
  predicates: Scale,
  approvals: ClipboardCheck,
  computations: Calculator,
  node: Server,
  activity: Activity,
  settings: Settings,
}

export const screenPath = (screen: Screen): `/${Screen}` => `/${screen}`
export const screenLabel = (screen: Screen): MessageKey => `shell.nav.${screen}`

export const GROUPS: readonly { label: MessageKey; screens: readonly Screen[] }[] = [
  { label: 'shell.group.vault', screens: ['home', 'data', 'access'] },
  { label: 'shell.group.sharing', screens: ['identities', 'predicates', 'approvals'] },
  { label: 'shell.group.compute', screens: ['computations'] },
  { label: 'shell.group.node', screens: ['node'] },
]
export const BELOW: readonly Screen[] = ['activity', 'settings']
