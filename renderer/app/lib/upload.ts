import { sendFile, UPLOAD_BYTES } from '../../../core/ipc/index.ts'
import { call } from '../store/client.ts'

/** Sends a file to the node in pieces; gives the name of the upload. */
export function upload(file: File): Promise<string> {
  return sendFile(call, piecesOf(file))
}

async function* piecesOf(file: File): AsyncGenerator<string> {
  for (let from = 0; from < file.size; from += UPLOAD_BYTES)
    yield await toBase64(file.slice(from, from + UPLOAD_BYTES))
}

function toBase64(piece: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(piece)
  })
}
