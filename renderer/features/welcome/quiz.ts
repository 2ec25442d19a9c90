/** Three different positions, in order, out of `count`; at most one of each third, so that they lie apart. */
export function pickQuestions(count: number): number[] {
  const third = Math.floor(count / 3)
  const random = crypto.getRandomValues(new Uint32Array(3))
  return [0, 1, 2].map((part) => part * third + (random[part]! % third))
}

/** Ignores case and surrounding space. */
export function matchesWord(answer: string, word: string): boolean {
  return answer.trim().toLowerCase() === word
}
