import type { Role } from '../../../core/ipc/index.ts'

export interface NewMember {
  publicKey: string
  label: string
  role: Role
}

export interface KeyProblem {
  kind: 'key' | 'duplicate' | 'self' | 'many'
  line: number
}

const KEY = /0x0[23][0-9a-fA-F]{64}(?![0-9a-fA-F])/
export const MAX_MEMBERS = 64

/**
 * Reads pasted lines: a public key, alone or with a name before or after it. Empty lines are skipped; the
 * first line that does not fit stops the reading, so that nothing is lost silently.
 */
export function readKeys(
  text: string,
  present: readonly string[],
  own: string | undefined,
): { members: NewMember[]; problem?: KeyProblem } {
  const members: NewMember[] = []
  const seen = new Set(present)
  for (const [i, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim()
    if (line === '') continue
    const number = i + 1
    const key = KEY.exec(line)?.[0].toLowerCase()
    if (key === undefined) return { members, problem: { kind: 'key', line: number } }
    if (key === own?.toLowerCase()) return { members, problem: { kind: 'self', line: number } }
    if (seen.has(key)) return { members, problem: { kind: 'duplicate', line: number } }
    seen.add(key)
    if (seen.size >= MAX_MEMBERS) return { members, problem: { kind: 'many', line: number } }
    const label = line
      .replace(KEY, '')
      .replace(/^[\s,;:=<"']+|[\s,;:=>"']+$/g, '')
      .slice(0, 100)
    members.push({ publicKey: key, label, role: 'member' })
  }
  return { members }
}
