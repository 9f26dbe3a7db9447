// Rows as CSV (RFC 4180) for spreadsheets, and as JSON Lines for programs.
//
// Visitors write the cells, so a cell that a spreadsheet would run as a formula gets an apostrophe before it
// (OWASP, CSV injection); quoting alone does not stop that.

export type Cell = string | number | boolean | null | undefined;

const FORMULA = /^[\s\u0000\u00a0\ufeff]*[=+\-@\t\r|%]/;
const FULL_WIDTH = /^\s*[\uff1d\uff0b\uff0d\uff20]/;

export function csvCell(value: Cell): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) || FULL_WIDTH.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** With a byte order mark, so that Excel reads UTF-8. */
export function toCsv(header: string[], rows: Cell[][]): string {
  return `\ufeff${[header, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n")}\r\n`;
}

export function toJsonLines(rows: object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
