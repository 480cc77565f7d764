// Blocks of data: what batch.report.block writes.

const ARRAYS = { u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f64: Float64Array };

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

/** Head and typed arrays of the block in the element `id`, whose text is then given back. */
async function readBlock(id) {
  const element = byId(id);
  const packed = new Blob([bytesOf(element.textContent)]);
  element.remove();
  const buffer = await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const start = Math.ceil((4 + length) / 8) * 8;
  const arrays = {};
  for (const [name, type, offset, count] of head.arrays) arrays[name] = new ARRAYS[type](buffer, start + offset, count);
  return { head, arrays };
}

/** A column of figures; where few are distinct, cells have numbers of theirs. */
function figures(arrays, name) {
  const distinct = arrays[`${name}.figures`];
  return distinct ? Float64Array.from(arrays[name], (code) => distinct[code]) : arrays[name];
}
