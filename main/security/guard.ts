import { readFile } from 'node:fs/promises'
import { app, protocol, type Session, session, shell, type WebContents } from 'electron'
import { RENDERER_CSP, securityHeaders } from '../host/browser-policy.ts'
import { APP_SCHEME, appFile, isAllowedExternal, isAllowedPermission, isAppUrl } from './policy.ts'

/** Before the app is ready: the scheme of the interface is an origin like any secure one. */
export function registerScheme(): void {
  protocol.registerSchemesAsPrivileged([
    {
      scheme: APP_SCHEME,
      privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true },
    },
  ])
}

/** Serves the interface to the default session and refuses it everything else. */
export function guardSession(root: string, guarded: Session = session.defaultSession): void {
  const headers = securityHeaders(RENDERER_CSP)
  guarded.protocol.handle(APP_SCHEME, async (request) => {
    const file = request.method === 'GET' ? appFile(root, request.url) : undefined
    if (file === undefined) return new Response('Not found', { status: 404, headers })
    return new Response(await readFile(file.path), { headers: { ...headers, 'Content-Type': file.type } })
  })
  guarded.webRequest.onBeforeRequest((details, callback) => {
    callback({ cancel: !isAppUrl(details.url) && !details.url.startsWith('devtools://') })
  })
  guarded.setPermissionRequestHandler((_contents, permission, callback, details) =>
    callback(isAllowedPermission(permission, details.requestingUrl)),
  )
  guarded.setPermissionCheckHandler((_contents, permission, origin) =>
    isAllowedPermission(permission, `${origin}/`),
  )
  guarded.setDevicePermissionHandler(() => false)
  guarded.on('will-download', (event) => event.preventDefault())
  guarded.setSpellCheckerEnabled(false)
}

/** Every page, whoever makes it: no navigation, no windows, no webviews. */
export function guardContents(): void {
  app.on('web-contents-created', (_event, contents: WebContents) => {
    contents.on('will-navigate', (event) => event.preventDefault())
    contents.on('will-redirect', (event) => event.preventDefault())
    contents.on('will-frame-navigate', (event) => event.preventDefault())
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.setWindowOpenHandler(({ url }) => {
      if (isAllowedExternal(url)) void shell.openExternal(url)
      return { action: 'deny' }
    })
  })
  app.on('select-client-certificate', (event) => event.preventDefault())
  app.on('login', (event) => event.preventDefault())
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, callback) => {
    event.preventDefault()
    callback(false)
  })
}
