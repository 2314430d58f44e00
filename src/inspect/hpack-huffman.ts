/** Bits of the code of each byte and, last, of EOS (RFC 7541 appendix B). */
const CODE_LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28,
  28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7,
  8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19,
  13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13,
  28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21,
  22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23,
  22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
  19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25,
  25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
];
const EOS = 256;
const MIN_BITS = 5;
const MAX_BITS = 30;
/** RFC 7541 section 5.2: more bits than this are not padding. */
const MAX_PADDING = 7;

/** The codes of one length are consecutive numbers (the code is canonical): the first of them, and what they stand for. */
interface Codes {
  first: number;
  symbols: number[];
}

/** By length. Codes of a length follow on those of the length before, with a zero appended. */
function buildCodes(): Codes[] {
  const codes: Codes[] = [];
  let next = 0;
  for (let length = 0; length <= MAX_BITS; length++) {
    const symbols = [...CODE_LENGTHS.keys()].filter((symbol) => CODE_LENGTHS[symbol] === length);
    codes.push({ first: next, symbols });
    next = (next + symbols.length) * 2;
  }
  return codes;
}

const CODES = buildCodes();

/**
 * The bytes that a Huffman-coded string of HPACK stands for (RFC 7541 section 5.2); null when it holds EOS, a code that is
 * cut, or padding other than the start of EOS. At most 8/5 as long as the input.
 */
export function decodeHuffman(coded: Uint8Array): Uint8Array | null {
  const out = new Uint8Array(Math.floor((coded.length * 8) / MIN_BITS));
  let written = 0;
  let code = 0;
  let length = 0;
  for (const byte of coded) {
    for (let shift = 7; shift >= 0; shift--) {
      code = code * 2 + ((byte >> shift) & 1);
      length++;
      const codes = CODES[length];
      const symbol = codes?.symbols[code - codes.first];
      if (symbol === undefined) continue;
      if (symbol === EOS) return null;
      out[written++] = symbol;
      code = 0;
      length = 0;
    }
  }
  const isPadding = length <= MAX_PADDING && code === 2 ** length - 1;
  return isPadding ? out.subarray(0, written) : null;
}
