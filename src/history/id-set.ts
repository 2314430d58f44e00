/** Sets of small numbers as blobs: ascending, each as the difference from the one before, in LEB128. */

const MORE = 0x80;
const MAX_BYTES_EACH = 8;

/** Encodes `ids`, which must be ascending and not negative. */
export function encodeIds(ids: ArrayLike<number>): Uint8Array {
  const out = new Uint8Array(ids.length * MAX_BYTES_EACH);
  let length = 0;
  let previous = 0;
  for (let index = 0; index < ids.length; index++) {
    const id = ids[index] ?? 0;
    let delta = id - previous;
    previous = id;
    while (delta >= MORE) {
      out[length++] = (delta % MORE) | MORE;
      delta = Math.floor(delta / MORE);
    }
    out[length++] = delta;
  }
  return out.slice(0, length);
}

/** Calls `visit` with each id, ascending, until it answers true; whether it did. */
export function someId(blob: Uint8Array, visit: (id: number) => boolean): boolean {
  let id = 0;
  let scale = 1;
  for (let index = 0; index < blob.length; index++) {
    const byte = blob[index] ?? 0;
    id += (byte & (MORE - 1)) * scale;
    if (byte & MORE) {
      scale *= MORE;
    } else {
      if (visit(id)) return true;
      scale = 1;
    }
  }
  return false;
}
