/**
 * Attributes of text as SGR sequences (ECMA-48 8.3.117). Written here and not by Ink's chalk, which decides by the
 * environment when it is loaded, and with colours leaves out bold and inverse, too.
 */
const ATTRIBUTES = { bold: [1, 22], underline: [4, 24], inverse: [7, 27] } as const;
const COLORS = { accent: [36, 39], good: [32, 39], warning: [33, 39], bad: [31, 39] } as const;

type Attribute = keyof typeof ATTRIBUTES;
type Color = keyof typeof COLORS;
export type Style = Attribute | Color;
export type Paint = (text: string, styles: readonly Style[]) => string;

function isAttribute(style: Style): style is Attribute {
  return style in ATTRIBUTES;
}

/** Paints text that is already safe; without colours it leaves colours out and keeps the rest. */
export function createPaint(hasColor: boolean): Paint {
  return (text, styles) => {
    if (text === "") return "";
    return styles.reduce((painted, style) => {
      if (!isAttribute(style) && !hasColor) return painted;
      const [on, off] = isAttribute(style) ? ATTRIBUTES[style] : COLORS[style];
      return `\u001b[${on}m${painted}\u001b[${off}m`;
    }, text);
  };
}
