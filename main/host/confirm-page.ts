import { createHash } from 'node:crypto'

/** Runs in the confirmation page. Facts arrive as text and are set as text: nothing in them is markup. */
const SCRIPT = `
'use strict'
const $ = (id) => document.getElementById(id)
const token = location.hash.slice(1)
history.replaceState(null, '', location.pathname)
async function post(path, body) {
  const response = await fetch(location.pathname + path, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, ...body }),
  })
  return response.ok ? response.json() : undefined
}
function finish(text) {
  $('question').hidden = true
  $('outcome').textContent = text
  $('outcome').hidden = false
  $('outcome').focus()
}
let text
async function decide(accept) {
  $('accept').disabled = $('decline').disabled = true
  const answer = await post('/decision', { accept }).catch(() => undefined)
  finish(answer === undefined ? text.expired : accept ? text.accepted : text.declined)
}
post('/question', {}).catch(() => undefined).then((answer) => {
  if (answer === undefined) return finish('This question is no longer open. \\u8fd9\\u4e2a\\u95ee\\u9898\\u5df2\\u5931\\u6548\\u3002')
  text = answer
  document.documentElement.lang = text.language
  document.title = text.title
  for (const key of ['title', 'lead', 'accept', 'decline']) $(key).textContent = text[key]
  for (const [label, value] of text.facts) {
    const dt = document.createElement('dt'), dd = document.createElement('dd')
    dt.textContent = label
    dd.textContent = value
    $('facts').append(dt, dd)
  }
  $('accept').onclick = () => decide(true)
  $('decline').onclick = () => decide(false)
  $('question').hidden = false
  $('decline').focus()
})
`
const STYLE = `
:root { color-scheme: light dark; font: 14px/1.5 system-ui, 'Noto Sans CJK SC', sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: Canvas; color: CanvasText }
main { max-width: 560px; padding: 24px; box-sizing: border-box; width: 100% }
h1 { font-size: 20px; margin: 0 0 8px }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 16px; margin: 20px 0; padding: 16px;
  border: 1px solid color-mix(in srgb, CanvasText 25%, Canvas); border-radius: 8px }
dt { color: color-mix(in srgb, CanvasText 75%, Canvas) }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums }
.actions { display: flex; gap: 12px; justify-content: flex-end }
button { font: inherit; padding: 8px 16px; border-radius: 6px; cursor: pointer;
  border: 1px solid color-mix(in srgb, CanvasText 45%, Canvas); background: Canvas; color: CanvasText }
button#accept { background: #0b57d0; border-color: #0b57d0; color: #fff }
button:focus-visible { outline: 3px solid #7aa7ff; outline-offset: 2px }
button:disabled { opacity: .5 }
`

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** Nothing but the page's own script and style, by hash; it talks to its own origin only and is never framed. */
export const CONFIRM_CSP = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The same page for every confirmation: what it asks about comes only to the holder of the token. */
export const CONFIRM_PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Enigma Vault</title><style>${STYLE}</style></head>
<body><main>
<section id="question" hidden><h1 id="title"></h1><p id="lead"></p><dl id="facts"></dl>
<div class="actions"><button id="decline" type="button"></button><button id="accept" type="button"></button></div>
</section>
<p id="outcome" role="status" tabindex="-1" hidden></p>
</main><script>${SCRIPT}</script></body></html>
`
