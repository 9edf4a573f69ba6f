// The layers of a PSD as two JavaScript libraries read them: node readers.mjs LIBRARY FILE, JSON on standard output, top first.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [library, file] = process.argv.slice(2)
const data = readFileSync(file)
const require = createRequire(process.cwd() + '/')
const base64 = (pixels) => Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength).toString('base64')

async function withAgPsd() {
  const { initializeCanvas, readPsd } = require('ag-psd')
  initializeCanvas(() => null, (width, height) => ({ width, height, data: new Uint8ClampedArray(4 * width * height) }))
  const psd = readPsd(data, { useImageData: true, skipThumbnail: true })
  const listed = (layers) =>
    [...layers].reverse().flatMap(({ name, left, top, imageData, blendMode, opacity, hidden, children }) =>
      children
        ? [{ name, mode: blendMode, opacity, hidden }, ...listed(children)]
        : [{ name, mode: blendMode, opacity, hidden, left, top, width: imageData?.width ?? 0, pixels: imageData ? base64(imageData.data) : '' }],
    )
  return { layers: listed(psd.children), merged: base64(psd.imageData.data) }
}

async function withWebtoon() {
  const { default: Psd } = await import(require.resolve('@webtoon/psd'))
  const psd = Psd.parse(data.buffer.slice(data.byteOffset, data.byteOffset + data.length))
  const layers = []
  for (const layer of psd.layers) {
    const pixels = base64(await layer.composite(false, false))
    layers.push({ name: layer.name, left: layer.left, top: layer.top, width: layer.width, hidden: layer.isHidden, pixels })
  }
  return { layers, merged: base64(await psd.composite(false)) }
}

console.log(JSON.stringify(await (library === 'ag-psd' ? withAgPsd() : withWebtoon())))
