// Writes rows as CSV (RFC 4180) for spreadsheets and as JSON Lines for programs.
//
// Visitors control the text of the cells. A cell that a spreadsheet would run as a formula therefore gets a
// leading apostrophe (OWASP, CSV injection). Quoting alone does not prevent that.

export type Cell = string | number | boolean | null | undefined;

const FORMULA = /^[\s\u0000\u00a0\ufeff]*[=+\-@\t\r|%]/;
const FULL_WIDTH = /^\s*[\uff1d\uff0b\uff0d\uff20]/;

export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) || FULL_WIDTH.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Writes a byte order mark first, so that Excel detects UTF-8. */
export function toCsv(header: string[], rows: Cell[][]): string {
  return `\ufeff${[header, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

export function toJsonLines(rows: object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
