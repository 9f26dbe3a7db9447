// The contrast of two colors by the WCAG 2.2 formula, for the warnings in the widget editor.
//
// It parses the notations that the server accepts: hex with 3, 4, 6 or 8 digits, rgb(), hsl() and oklch().
// A transparent color is blended with the color behind it.

export interface Rgb {
  /** Each channel is between 0 and 1. */
  r: number;
  g: number;
  b: number;
  a: number;
}

/** The minimum contrast of normal-sized text (WCAG 2.2, success criterion 1.4.3). */
export const TEXT_MINIMUM = 4.5;

const clamp = (x: number) => Math.min(1, Math.max(0, x));

/** Parses a number, or a percentage of `whole`. */
function amount(text: string, whole: number): number {
  return text.endsWith("%") ? (parseFloat(text) / 100) * whole : parseFloat(text);
}

function hex(text: string): Rgb | null {
  const digits = text.length <= 5 ? [...text.slice(1)].map((d) => d + d) : text.slice(1).match(/../g) ?? [];
  const [r, g, b, a = 1] = digits.map((d) => parseInt(d, 16) / 255);
  return r === undefined || g === undefined || b === undefined ? null : { r, g, b, a };
}

function hsl(h: number, s: number, l: number): [number, number, number] {
  const f = (n: number) => {
    const k = (n + h / 30) % 12;
    return l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [f(0), f(8), f(4)];
}

/** Converts OKLCH to sRGB with Björn Ottosson's matrices and the sRGB transfer function. */
function oklch(l: number, c: number, h: number): [number, number, number] {
  const [a, b] = [c * Math.cos((h * Math.PI) / 180), c * Math.sin((h * Math.PI) / 180)];
  const [x, y, z] = [l + 0.3963377774 * a + 0.2158037573 * b, l - 0.1055613458 * a - 0.0638541728 * b, l - 0.0894841775 * a - 1.291485548 * b].map((v) => v ** 3) as [number, number, number];
  const encode = (v: number) => (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055);
  return [
    encode(4.0767416621 * x - 3.3077115913 * y + 0.2309699292 * z),
    encode(-1.2684380046 * x + 2.6097574011 * y - 0.3413193965 * z),
    encode(-0.0041960863 * x - 0.7034186147 * y + 1.707614701 * z),
  ];
}

/** Parses a color. Returns null for a notation that the server does not accept. */
export function parseColor(source: string): Rgb | null {
  const text = source.trim().toLowerCase();
  if (/^#([\da-f]{3,4}|[\da-f]{6}|[\da-f]{8})$/.test(text)) return hex(text);
  const [, name, inside] = /^(rgb|hsl|oklch)a?\(([^()]*)\)$/.exec(text) ?? [];
  const parts = inside?.split(/[\s,/]+/).filter(Boolean) ?? [];
  if (!name || parts.length < 3 || parts.some((p) => Number.isNaN(parseFloat(p)))) return null;
  const [one, two, three] = parts as [string, string, string];
  const rgb = name === "rgb" ? [one, two, three].map((p) => amount(p, 255) / 255)
    : name === "hsl" ? hsl(((parseFloat(one) % 360) + 360) % 360, parseFloat(two) / 100, parseFloat(three) / 100)
      : oklch(amount(one, 1), amount(two, 0.4), parseFloat(three));
  const [r, g, b] = rgb.map(clamp) as [number, number, number];
  return { r, g, b, a: clamp(parts[3] ? amount(parts[3], 1) : 1) };
}

function over(top: Rgb, below: Rgb): Rgb {
  const mix = (t: number, b: number) => t * top.a + b * (1 - top.a);
  return { r: mix(top.r, below.r), g: mix(top.g, below.g), b: mix(top.b, below.b), a: 1 };
}

/** The relative luminance as defined in WCAG 2.2. */
export function luminance({ r, g, b }: Rgb): number {
  const linear = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

/** The contrast ratio, 1 to 21, or null when one of the two is not a color. */
export function contrast(foreground: string, background: string): number | null {
  const [front, back] = [parseColor(foreground), parseColor(background)];
  if (!front || !back) return null;
  const ground = over(back, { r: 1, g: 1, b: 1, a: 1 });
  const [light, dark] = [luminance(over(front, ground)), luminance(ground)].sort((a, b) => b - a) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}
