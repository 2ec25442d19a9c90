import { readFileSync, writeFileSync } from 'node:fs'
import * as z from 'zod'

const rectangle = z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() })
const stored = z.object({ bounds: rectangle, maximized: z.boolean() })

export type Rectangle = z.infer<typeof rectangle>
export type WindowState = z.infer<typeof stored>

const MINIMUM = { width: 900, height: 600 }
const DEFAULT = { width: 1280, height: 840 }

/** The bounds to open with: the stored ones where they still show on a screen, else centred ones by default. */
export function fitBounds(state: WindowState | undefined, workAreas: Rectangle[]): Partial<Rectangle> {
  if (state === undefined) return DEFAULT
  const { bounds } = state
  const area = workAreas.find(
    (a) =>
      bounds.x < a.x + a.width - 100 &&
      bounds.x + bounds.width > a.x + 100 &&
      bounds.y >= a.y &&
      bounds.y < a.y + a.height - 50,
  )
  if (area === undefined) return DEFAULT
  return {
    x: bounds.x,
    y: bounds.y,
    width: Math.max(MINIMUM.width, Math.min(bounds.width, area.width)),
    height: Math.max(MINIMUM.height, Math.min(bounds.height, area.height)),
  }
}

export function readWindowState(file: string): WindowState | undefined {
  try {
    return stored.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    return undefined
  }
}

export function writeWindowState(file: string, state: WindowState): void {
  try {
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 })
  } catch {
    // Where the window stood is not worth a message.
  }
}
