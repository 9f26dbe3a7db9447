// Restricted Markdown for answers and messages, used by the widget and the dashboard.
//
// Text is parsed into a small tree, and the tree becomes DOM nodes. HTML is never parsed, so markup in a crawled page
// stays text. Supported are paragraphs, line breaks, headings (as bold lines), lists, tables, **strong**, *emphasis*, `code`,
// ~~deleted~~ text, fenced code, [links](…) and bare URLs. Links can use http, https and mailto. Everything else stays text.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em" | "del"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

export type Block =
  | { kind: "paragraph" | "heading"; children: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "table"; rows: Inline[][][] }
  | { kind: "pre"; text: string };

/** Deeper nesting stays text. No answer needs it, and hostile input must not nest without limit. */
const MAX_DEPTH = 4;
/** Longer texts are truncated. The limits of the server are far below. */
const MAX_CHARS = 20_000;

/** The normalized URL, or null for text that is not a URL, other schemes, and URLs with a user name that imitate another host. */
export function safeHref(address: string): string | null {
  const trimmed = address.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(trimmed)) return null;
  try {
    const url = new URL(trimmed);
    return ["http:", "https:", "mailto:"].includes(url.protocol) && !url.username && !url.password ? url.href : null;
  } catch {
    return null;
  }
}

/** A `mailto:` URL for an e-mail address, or null when the address has characters that would add headers or mislead. */
export function mailtoHref(email: string): string | null {
  return /^[^\s@?&#%<>"(),;:\\\u200e\u200f\u202a-\u202e\u2066-\u2069]+@[^\s@?&#%<>"(),;:\\\u200e\u200f\u202a-\u202e\u2066-\u2069]+$/.test(email)
    ? `mailto:${encodeURIComponent(email).replace("%40", "@")}` : null;
}

/** Controls that change the direction of text and can make a label look like another one. */
const BIDI = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The host or mailbox of `href` when `label` looks like a different URL, otherwise an empty text. */
function realTarget(label: string, href: string): string {
  const url = new URL(href);
  const target = url.protocol === "mailto:" ? decodeURIComponent(url.pathname) : url.host;
  const [, host, mailbox] = /^(?:https?:\/\/|\/\/)?((?:[^\s\/?#@:]+\.)+[^\s\/?#@:.]{2,})(?::\d+)?(?:[\/?#].*)?$|^(?:mailto:)?([^\s@]+@[^\s@]+)$/i.exec(label.trim()) ?? [];
  if (mailbox) return mailbox.toLowerCase() === target.toLowerCase() ? "" : target;
  if (!host) return "";
  try {
    const plain = (name: string) => name.replace(/^www\./, "");
    return plain(new URL(`https://${host}`).hostname) === plain(url.hostname) ? "" : target;
  } catch {
    return target;
  }
}

/** Scripts that are written without spaces, and their punctuation: text in them continues after a URL. */
const UNSPACED = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3000-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7af\\uff00-\\uffef";

const INLINE = new RegExp([
  "(?<!`)(`{1,3})([^\\n]{1,1000}?)\\1(?!`)", // 1, 2: code
  "\\[([^\\[\\]\\n]{1,300})\\]\\(\\s*<?([^\\s()<>]{1,2048}(?:\\([^\\s()<>]{0,500}\\)[^\\s()<>]{0,500})?)>?\\s*\\)", // 3, 4: link
  "\\*\\*(?=\\S)([^\\n]{1,2000}?\\S)\\*\\*", // 5: strong
  "(?<![\\w*])\\*(?=[^\\s*])([^*\\n]{0,2000}?[^\\s*])\\*(?![\\w*])", // 6: em
  "(?<![\\w_])_(?=[^\\s_])([^_\\n]{0,2000}?[^\\s_])_(?![\\w_])", // 7: em
  `(?<!\\w)(https?:\\/\\/[^\\s<>"'\`${UNSPACED}]{1,2048})`, // 8: bare URL that is not part of a word
  "~~(?=[^\\s~])([^~\\n]{1,2000})~~", // 9: del
].join("|"), "g");

/** Removes the punctuation of the sentence from the end of a URL. A closing bracket stays when the URL has an opening one. */
function trimAddress(address: string): string {
  let end = address.replace(/[.,;:!?*_]+$/, "");
  while (end.endsWith(")") && !end.includes("(")) end = end.slice(0, -1).replace(/[.,;:!?]+$/, "");
  return end;
}

export function parseInline(text: string, depth = 0): Inline[] {
  const out: Inline[] = [];
  const say = (part: string) => {
    part.split("\n").forEach((line, i) => {
      if (i > 0) out.push({ kind: "break" });
      if (line) out.push({ kind: "text", text: line.replace(/\\([!-/:-@[-`{-~])/g, "$1") });
    });
  };
  if (depth >= MAX_DEPTH) {
    say(text);
    return out;
  }
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index < at || text[match.index - 1] === "\\") continue;
    const [node, length] = inlineOf(match, depth);
    say(text.slice(at, match.index));
    out.push(node);
    at = match.index + length;
  }
  say(text.slice(at));
  return out;
}

function inlineOf(match: RegExpMatchArray, depth: number): [Inline, number] {
  const [whole, , code, label, to, strong, star, underscore, bare, deleted] = match;
  if (deleted !== undefined) return [{ kind: "del", children: parseInline(deleted, depth + 1) }, whole.length];
  if (code !== undefined) return [{ kind: "code", text: code.trim() }, whole.length];
  if (label !== undefined) {
    const href = safeHref(to!);
    if (!href) return [{ kind: "text", text: whole }, whole.length];
    const shown = label.replace(BIDI, "");
    const target = realTarget(shown, href);
    return [{ kind: "link", href, children: parseInline(target ? `${shown} (${target})` : shown, MAX_DEPTH) }, whole.length];
  }
  if (strong !== undefined) return [{ kind: "strong", children: parseInline(strong, depth + 1) }, whole.length];
  if (bare === undefined) return [{ kind: "em", children: parseInline((star ?? underscore)!, depth + 1) }, whole.length];
  const address = trimAddress(bare);
  const href = safeHref(address);
  if (!href) return [{ kind: "text", text: address }, address.length];
  return [{ kind: "link", href, children: [{ kind: "text", text: address }] }, address.length];
}

// A no-break space behind the sign says that it begins no item.
const BULLET = /^\s{0,6}[-*+•][ \t]+(.*)$/;
const NUMBER = /^\s{0,6}(\d{1,4})[.)][ \t]+(.*)$/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*)$/;
const FENCE = /^\s{0,3}```/;
/** The line between the head of a table and its rows. */
const TABLE_RULE = /^(?=.*-)(?=.*\|)[\s|:-]+$/;

export function parseMarkdown(source: string): Block[] {
  const lines = source.slice(0, MAX_CHARS).replace(/\r\n?/g, "\n").split("\n");
  const blocks: Block[] = [];
  let words: string[] = [];
  const flush = () => {
    const text = words.join("\n").trim();
    if (text) blocks.push({ kind: "paragraph", children: parseInline(text) });
    words = [];
  };
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const heading = HEADING.exec(line);
    if (FENCE.test(line)) {
      flush();
      const end = lines.findIndex((l, j) => j > i && FENCE.test(l));
      const last = end < 0 ? lines.length : end;
      blocks.push({ kind: "pre", text: lines.slice(i + 1, last).join("\n") });
      i = last;
    } else if (heading) {
      flush();
      blocks.push({ kind: "heading", children: parseInline(withoutClosingMarks(heading[1]!)) });
    } else if (line.includes("|") && TABLE_RULE.test(lines[i + 1] ?? "")) {
      flush();
      i = takeTable(lines, i, blocks);
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      flush();
      i = takeList(lines, i, blocks);
    } else if (line.trim()) {
      words.push(line.trim());
    } else {
      flush();
    }
  }
  flush();
  return blocks;
}

/** Removes the `#` marks at the end of a heading. A regular expression would need quadratic time. */
function withoutClosingMarks(text: string): string {
  let end = text.trimEnd().length;
  while (text[end - 1] === "#") end--;
  return text.slice(0, end).trimEnd();
}

/** Parses the table whose head is line `from`. Returns the index of its last line. All rows get as many cells as the head. */
function takeTable(lines: string[], from: number, blocks: Block[]): number {
  const cellsOf = (line: string) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => parseInline(cell.trim()));
  const head = cellsOf(lines[from]!);
  const rows = [head];
  let i = from + 2;
  for (; lines[i]?.includes("|"); i++) {
    const cells = cellsOf(lines[i]!);
    rows.push(head.map((_, at) => cells[at] ?? []));
  }
  blocks.push({ kind: "table", rows });
  return i - 1;
}

/** Parses the list that starts at line `from`. Returns the index of its last line. */
function takeList(lines: string[], from: number, blocks: Block[]): number {
  const ordered = NUMBER.test(lines[from]!);
  const mark = ordered ? NUMBER : BULLET;
  const items: string[][] = [];
  let i = from;
  for (; i < lines.length; i++) {
    const line = lines[i]!;
    const item = mark.exec(line);
    if (item) items.push([item[item.length - 1]!]);
    else if (/^\s+\S/.test(line) && !BULLET.test(line) && !NUMBER.test(line)) items[items.length - 1]!.push(line.trim());
    else if (!(line.trim() === "" && mark.test(lines[i + 1] ?? ""))) break;
  }
  const start = ordered ? Number(NUMBER.exec(lines[from]!)![1]) : 1;
  blocks.push({ kind: "list", ordered, start, items: items.map((item) => parseInline(item.join("\n"))) });
  return i - 1;
}

function inlineNodes(page: Document, inlines: Inline[]): Node[] {
  return inlines.map((inline) => {
    if (inline.kind === "text") return page.createTextNode(inline.text);
    if (inline.kind === "break") return page.createElement("br");
    if (inline.kind === "code") return element(page, "code", [page.createTextNode(inline.text)]);
    const node = element(page, inline.kind === "link" ? "a" : inline.kind, inlineNodes(page, inline.children));
    if (inline.kind === "link") {
      node.setAttribute("href", inline.href);
      node.setAttribute("rel", "noopener nofollow");
      node.setAttribute("target", "_blank");
    }
    return node;
  });
}

function element(page: Document, name: string, children: Node[]): HTMLElement {
  const node = page.createElement(name);
  node.append(...children);
  return node;
}

/** Renders the text as DOM nodes of `page`. */
export function renderMarkdown(source: string, page: Document = document): DocumentFragment {
  const fragment = page.createDocumentFragment();
  for (const block of parseMarkdown(source)) {
    if (block.kind === "table") {
      const rows = block.rows.map((cells, row) => element(page, "tr", cells.map((cell) => element(page, row ? "td" : "th", inlineNodes(page, cell)))));
      // A wide table scrolls in its frame, also with the keys.
      const frame = element(page, "div", [element(page, "table", rows)]);
      frame.className = "table";
      frame.tabIndex = 0;
      fragment.append(frame);
    } else if (block.kind === "pre") {
      fragment.append(element(page, "pre", [page.createTextNode(block.text)]));
    } else if (block.kind === "list") {
      const list = element(page, block.ordered ? "ol" : "ul", block.items.map((item) => element(page, "li", inlineNodes(page, item))));
      if (block.start !== 1) list.setAttribute("start", String(block.start));
      fragment.append(list);
    } else {
      const inner = inlineNodes(page, block.children);
      fragment.append(element(page, "p", block.kind === "heading" ? [element(page, "strong", inner)] : inner));
    }
  }
  return fragment;
}
