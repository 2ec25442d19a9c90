import { createReadStream, statSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, normalize, sep } from 'node:path'

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.txt': 'text/plain; charset=utf-8',
}

export interface FoundFile {
  path: string
  type: string
  bytes: number
}

/** The file of `root` that a URL path names, of a known type and inside `root`; undefined otherwise. */
export function findFile(root: string, urlPath: string): FoundFile | undefined {
  let name: string
  try {
    name = decodeURIComponent(urlPath)
  } catch {
    return undefined
  }
  if (name.includes('\0') || name.includes('\\')) return undefined
  if (name === '/') name = '/index.html'
  const path = normalize(join(root, name))
  if (!path.startsWith(root + sep)) return undefined
  const type = TYPES[extname(path).toLowerCase()]
  if (type === undefined || path.split(sep).some((part) => part.startsWith('.') && part.length > 1))
    return undefined
  try {
    const found = statSync(path)
    return found.isFile() ? { path, type, bytes: found.size } : undefined
  } catch {
    return undefined
  }
}

/** Answers a GET or HEAD request from `root`. */
export function serveFile(
  root: string,
  request: IncomingMessage,
  response: ServerResponse,
  headers: Record<string, string>,
): void {
  const file = findFile(root, (request.url ?? '/').split('?', 1)[0] ?? '/')
  if (file === undefined) {
    response.writeHead(404, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' }).end('Not found\n')
    return
  }
  response.writeHead(200, { ...headers, 'Content-Type': file.type, 'Content-Length': file.bytes })
  if (request.method === 'HEAD') response.end()
  else
    createReadStream(file.path)
      .on('error', () => response.destroy())
      .pipe(response)
}
