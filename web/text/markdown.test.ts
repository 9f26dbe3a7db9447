// Checks which parts of restricted Markdown become markup, and that nothing else does.
import { describe, expect, it } from "vitest";
import { mailtoHref, parseMarkdown, renderMarkdown, safeHref } from "./markdown";

function html(source: string): string {
  const box = document.createElement("div");
  box.append(renderMarkdown(source));
  return box.innerHTML;
}

describe("supported Markdown", () => {
  it("keeps_paragraphs_and_line_breaks", () => {
    expect(html("One\ntwo\n\nThree")).toBe("<p>One<br>two</p><p>Three</p>");
  });

  it("renders_strong_emphasis_and_code", () => {
    expect(html("**Bold** and *soft*, `x < y`, snake_case_name, 2 * 3 * 4"))
      .toBe("<p><strong>Bold</strong> and <em>soft</em>, <code>x &lt; y</code>, snake_case_name, 2 * 3 * 4</p>");
  });

  it("renders_deleted_text_and_removes_escapes", () => {
    expect(html("It costs ~~19 euros~~ 14 euros, all \\< 2 \\& 3")).toBe("<p>It costs <del>19 euros</del> 14 euros, all &lt; 2 &amp; 3</p>");
    expect(html("24.\u00a0December is a day, a ~ b ~ c")).toBe("<p>24.&nbsp;December is a day, a ~ b ~ c</p>");
  });

  it("renders_lists_with_their_start_and_continuation", () => {
    expect(html("Steps:\n3. Open\n   the lid\n4. Close")).toBe('<p>Steps:</p><ol start="3"><li>Open<br>the lid</li><li>Close</li></ol>');
    expect(html("- a\n\n- b")).toBe("<ul><li>a</li><li>b</li></ul>");
  });

  it("renders_tables_with_as_many_cells_as_the_head", () => {
    expect(html("Sizes:\n| Bag | Liters |\n|---|:-:|\n| Tote | **18** |\n| Sling |\nThe end"))
      .toBe('<p>Sizes:</p><div class="table" tabindex="0"><table><tr><th>Bag</th><th>Liters</th></tr><tr><td>Tote</td><td><strong>18</strong></td></tr><tr><td>Sling</td><td></td></tr></table></div><p>The end</p>');
    expect(html("a | b\nno table")).toBe("<p>a | b<br>no table</p>");
  });

  it("links_urls_without_the_punctuation_around_them", () => {
    const source = "See https://example.org/a_(b). Or [our page](https://example.org/x?a=1&b=2).";

    const links = [...html(source).matchAll(/href="([^"]+)"/g)].map((m) => m[1]);

    expect(links).toEqual(["https://example.org/a_(b)", "https://example.org/x?a=1&amp;b=2"]);
  });

  it("ends_a_url_where_text_without_spaces_continues", () => {
    const links = (source: string) => [...html(source).matchAll(/href="([^"]+)"/g)].map((m) => m[1]);

    expect(links("詳しくはhttps://example.org/faqをご覧ください。")).toEqual(["https://example.org/faq"]);
    expect(links("见https://example.org。evil.example/")).toEqual(["https://example.org/"]);
    expect(links("ดูhttps://example.org/aที่นี่")).toEqual(["https://example.org/a"]);
  });

  it("does_not_link_a_url_that_is_part_of_a_word", () => {
    expect(html("seehttps://evil.example/x, 2http://evil.example")).toBe("<p>seehttps://evil.example/x, 2http://evil.example</p>");
  });

  it("marks_every_link_noopener_nofollow", () => {
    expect(html("[a](mailto:a@example.org)")).toBe('<p><a href="mailto:a@example.org" rel="noopener nofollow" target="_blank">a</a></p>');
  });
});

describe("hostile input", () => {
  const hostile = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<svg/onload=alert(1)>", "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))", "[x](java\tscript:alert(1))", "[x](data:text/html,<script>alert(1)</script>)", "[x](vbscript:x)",
    "[x](//evil.example)", "![x](https://evil.example/pixel.png)", "[x](https://a\" onclick=alert(1) x=\")",
    "**<iframe src=https://evil.example>**", "```\n</pre><script>alert(1)</script>\n```", "`<b>`", "&lt;script&gt;", "[<img onerror=x>](https://example.org)",
  ];

  it.each(hostile)("renders_only_known_elements_for %s", (source) => {
    const box = document.createElement("div");
    box.append(renderMarkdown(source));

    for (const node of box.querySelectorAll("*")) {
      expect(["P", "BR", "STRONG", "EM", "CODE", "PRE", "A", "UL", "OL", "LI"]).toContain(node.tagName);
      for (const { name } of node.attributes) expect(["href", "rel", "target", "start"]).toContain(name);
      if (node.tagName === "A") expect(node.getAttribute("href")).toMatch(/^(https?:\/\/|mailto:)/);
    }
  });

  it("accepts_only_three_schemes", () => {
    expect(["javascript:1", " javascript:1", "data:,x", "ftp://a", "https:", "blob:x", "file:///a"].map(safeHref)).toEqual(Array(7).fill(null));
    expect(safeHref("https://example.org")).toBe("https://example.org/");
  });

  it("shows_the_real_host_of_a_label_that_is_another_url", () => {
    const text = (source: string) => {
      const box = document.createElement("div");
      box.append(renderMarkdown(source));
      return box.textContent;
    };

    expect(text("[https://bank.example/login](https://evil.example/x)")).toBe("https://bank.example/login (evil.example)");
    expect(text("[www.bank.example](https://evil.example:8443)")).toBe("www.bank.example (evil.example:8443)");
    expect(text("[help@bank.example](mailto:me@evil.example)")).toBe("help@bank.example (me@evil.example)");
    expect(text("[\u202ehttps://bank.example](https://evil.example)")).toBe("https://bank.example (evil.example)");
    expect(text("[bank.example](https://www.bank.example/a) [our page](https://evil.example)")).toBe("bank.example our page");
    expect(safeHref("https://bank.example@evil.example/")).toBeNull();
  });

  it("makes_no_mailto_url_that_adds_headers", () => {
    expect(mailtoHref("ada+shop@example.org")).toBe("mailto:ada%2Bshop@example.org");
    expect(["a@b.example?bcc=x@y.example", "a@b.example&cc=c", "a@b.example\u202e", "a b@c.example", "a@b@c", "nobody"].map(mailtoHref)).toEqual(Array(6).fill(null));
  });

  it("is_fast_on_repeated_unclosed_marks", () => {
    const units = ["`", "*", "_", "[", "**a", "**a ", "[a](", "[a](b", "[a](b(", "`a``", "``a", "https://(", "https://a.", "https://a)", "# ", " #", "#", "- ", "1. ", "```\n", "\\*", "a_b_"];
    for (const unit of units) {
      for (const text of [unit.repeat(20_000 / unit.length), `# ${unit.repeat(19_000 / unit.length)}x`, `[a](${unit.repeat(19_000 / unit.length)}`, `**${" ".repeat(10_000)}${unit.repeat(9000 / unit.length)}`]) {
        // The fastest of three runs counts, because other work can run on the same machine.
        const times = [0, 1, 2].map(() => {
          const start = performance.now();
          parseMarkdown(text);
          return performance.now() - start;
        });
        expect(Math.min(...times), text.slice(0, 20)).toBeLessThan(400);
      }
    }
  });
});
