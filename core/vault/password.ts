import { EnigmaError } from '../base/errors.ts'
import type { Secret } from './types.ts'

const MIN_LENGTH = 10

/** Bases of the most common passwords in public leaks, and names a person would take here. */
const COMMON = [
  'password passwort motdepasse contrasena passw qwerty qwertz azerty asdfgh zxcvbn letmein welcome admin',
  'administrator login iloveyou monkey dragon football baseball superman batman princess sunshine shadow',
  'master michael jordan trustno changeme secret default guest access starwars whatever freedom computer',
  'internet samsung google facebook abc123 pass123 hello charlie summer winter spring autumn january',
  'enigma vault woaini mima nihao test demo temp user root system',
]
  .join(' ')
  .split(' ')
const KEYBOARD = [
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'azertyuiop',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm',
  '0123456789',
  'abcdefghijklmnopqrstuvwxyz',
]
const ROWS = [...KEYBOARD, ...KEYBOARD.map((row) => [...row].reverse().join(''))]
const LEET: Record<string, string> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
}

/** Removes what a guesser tries first: common words, keyboard runs, repeats, years. What is left counts. */
function residue(password: string): string {
  const characters = [...password.toLowerCase()]
  const plain = characters.map((c) => LEET[c] ?? c)
  for (const word of COMMON) {
    const letters = [...word]
    for (let at = 0; at + letters.length <= plain.length; at++) {
      const matches = letters.every((c, i) => plain[at + i] === c || characters[at + i] === c)
      if (matches) characters.fill('\0', at, at + letters.length)
    }
  }
  let rest = characters.join('')
  for (let length = 8; length >= 4; length--)
    for (const row of ROWS)
      for (let at = 0; at + length <= row.length; at++)
        rest = rest.replaceAll(row.slice(at, at + length), '\0')
  return rest
    .replace(/(19|20)\d\d/g, '\0')
    .replace(/(.+?)\1+/gu, '$1')
    .replace(/(\0)+/g, '\0')
}

function weakness(password: string): string | undefined {
  const characters = [...password]
  if (characters.length < MIN_LENGTH)
    return `it has ${characters.length} characters, ${MIN_LENGTH} are needed`
  if (new Set(characters.map((c) => c.toLowerCase())).size < 5) return 'it repeats a few characters'
  if (/^\d+$/.test(password) && characters.length < 16) return 'it has only digits'
  const rest = residue(password)
  // One CJK character carries about as much as two letters.
  const weight = [...rest].reduce((sum, c) => sum + (/\p{Script=Han}/u.test(c) ? 2 : 1), 0)
  if (weight < 7 || new Set(rest).size < 4) return 'it is made of a common word, a keyboard pattern or a date'
  return undefined
}

/**
 * At least 10 characters and not among the first guesses. Throws PASSWORD_WEAK, with what is wrong in words; the
 * message never contains the password.
 */
export function checkPassword(password: Secret): void {
  const text = (typeof password === 'string' ? password : new TextDecoder().decode(password)).normalize(
    'NFKC',
  )
  const problem = weakness(text)
  if (problem !== undefined)
    throw new EnigmaError('PASSWORD_WEAK', `the password is too weak: ${problem}`, {
      remedy: 'Use four or more unrelated words, or at least 12 mixed characters.',
    })
}
