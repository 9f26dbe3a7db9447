// Checks that no cell becomes a formula and that parsing returns the original text.
import { describe, expect, it } from "vitest";
import { csvCell, toCsv, toJsonLines } from "./csv";

describe("a spreadsheet cell", () => {
  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1", "|cmd", "%0A", "＝1", "=HYPERLINK(\"http://evil.example\")"])(
    "never_starts_a_formula: %j", (text) => {
      expect(csvCell(text).replace(/^"/, "")[0]).toBe("'");
    });

  it("keeps_quotes_commas_and_lines", () => {
    expect(csvCell('say "hi", twice\nor more')).toBe('"say ""hi"", twice\nor more"');
    expect([csvCell(0.5), csvCell(-3), csvCell(true), csvCell(null), csvCell("plain")]).toEqual(["0.5", "-3", "true", "", "plain"]);
  });

  it("makes_rows_with_a_header", () => {
    expect(toCsv(["a", "b"], [["1", "=2"]])).toBe("\ufeffa,b\r\n1,\"'=2\"\r\n");
    expect(toJsonLines([{ a: "=1\n" }, {}])).toBe('{"a":"=1\\n"}\n{}\n');
  });
});
