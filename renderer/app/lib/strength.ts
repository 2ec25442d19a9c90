const COMMON =
  /(password|passwort|passw0rd|qwert|asdf|letmein|welcome|admin|iloveyou|monkey|dragon|enigma|woaini|123456|111111|abc123|5201314)/i

/** How many different kinds of character; a Chinese character counts as one of thousands. */
function alphabet(password: string): number {
  let size = 0
  if (/[a-z]/.test(password)) size += 26
  if (/[A-Z]/.test(password)) size += 26
  if (/\d/.test(password)) size += 10
  if (/[^a-zA-Z0-9\u0080-\uffff]/.test(password)) size += 33
  if (/[\u0080-\uffff]/.test(password)) size += 2000
  return size
}

/**
 * A cautious estimate in bits: repeated and consecutive characters and common words count once. Only advice for
 * the eye; the node decides what it accepts.
 */
export function passwordBits(password: string): number {
  const reduced = password.replace(COMMON, 'x')
  let counted = 0
  let previous = Number.NaN
  for (const c of reduced) {
    const code = c.codePointAt(0)!
    if (Math.abs(code - previous) > 1) counted += 1
    else counted += 0.25
    previous = code
  }
  const distinct = new Set(reduced).size
  const effective = Math.min(counted, distinct * 2)
  // Words of a phrase are far less random than letters: above 12 characters each counts for less.
  const perCharacter = Math.log2(Math.max(2, alphabet(reduced)))
  return Math.min(effective, 12) * perCharacter + Math.max(0, effective - 12) * Math.min(perCharacter, 3)
}

/** 0 too weak, 1 weak, 2 fair, 3 strong. */
export function passwordScore(password: string): 0 | 1 | 2 | 3 {
  const bits = password.length < 8 ? 0 : passwordBits(password)
  return bits >= 75 ? 3 : bits >= 55 ? 2 : bits >= 40 ? 1 : 0
}
