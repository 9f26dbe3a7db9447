// Restricted Markdown: what answers and agents' messages may look like, and nothing else.
//
// Text becomes a small tree (pure, tested without a page), the tree becomes DOM nodes. HTML is never
// parsed, so markup in a crawled page stays text. Known: paragraphs, line breaks, headings (as bold lines),
// lists, **strong**, *emphasis*, `code`, fenced code, [links](…) and bare addresses. Links go to http, https
// and mailto only; anything else stays the text it was.

export type Inline =
  | { kind: "text"; text: string }
  | { kind: "break" }
  | { kind: "code"; text: string }
  | { kind: "strong" | "em"; children: Inline[] }
  | { kind: "link"; href: string; children: Inline[] };

export type Block =
  | { kind: "paragraph" | "heading"; children: Inline[] }
  | { kind: "list"; ordered: boolean; start: number; items: Inline[][] }
  | { kind: "pre"; text: string };

/** Deeper marks are shown as text: no answer needs them, and hostile input must not nest without end. */
const MAX_DEPTH = 4;
/** Longer texts are cut: the server's own limits are far below. */
const MAX_CHARS = 20_000;

/** The address as it may stand in `href`, or null when its scheme is not allowed or it is no address. */
export function safeHref(address: string): string | null {
  const trimmed = address.trim();
  if (!/^(https?:\/\/|mailto:)/i.test(trimmed)) return null;
  try {
    const url = new URL(trimmed);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Scripts without spaces, and their punctuation: there the text goes on behind an address, and no host or path is written so. */
const UNSPACED = "\\u0e00-\\u0eff\\u1000-\\u109f\\u1780-\\u17ff\\u3000-\\u30ff\\u3400-\\u9fff\\uac00-\\ud7af\\uff00-\\uffef";

const INLINE = new RegExp([
  "(`{1,3})([^\\n]{1,1000}?)\\1(?!`)", // 1, 2: code
  "\\[([^\\[\\]\\n]{1,300})\\]\\(\\s*<?([^\\s()<>]{1,2048}(?:\\([^\\s()<>]{0,500}\\)[^\\s()<>]{0,500})?)>?\\s*\\)", // 3, 4: link
  "\\*\\*(?=\\S)([^\\n]{1,2000}?\\S)\\*\\*", // 5: strong
  "(?<![\\w*])\\*(?=[^\\s*])([^*\\n]{0,2000}?[^\\s*])\\*(?![\\w*])", // 6: em
  "(?<![\\w_])_(?=[^\\s_])([^_\\n]{0,2000}?[^\\s_])_(?![\\w_])", // 7: em
  `(?<!\\w)(https?:\\/\\/[^\\s<>"'\`${UNSPACED}]{1,2048})`, // 8: bare address, not glued to a word
].join("|"), "g");

/** Punctuation that ends the sentence, not the address; a closing bracket only when none opened inside. */
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
      if (line) out.push({ kind: "text", text: line.replace(/\\([\\`*_[\]()#+\-.!])/g, "$1") });
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
  const [whole, , code, label, target, strong, star, underscore, bare] = match;
  if (code !== undefined) return [{ kind: "code", text: code.trim() }, whole.length];
  if (label !== undefined) {
    const href = safeHref(target!);
    if (!href) return [{ kind: "text", text: whole }, whole.length];
    const children = parseInline(label, MAX_DEPTH);
    return [{ kind: "link", href, children }, whole.length];
  }
  if (strong !== undefined) return [{ kind: "strong", children: parseInline(strong, depth + 1) }, whole.length];
  if (bare === undefined) return [{ kind: "em", children: parseInline((star ?? underscore)!, depth + 1) }, whole.length];
  const address = trimAddress(bare);
  const href = safeHref(address);
  if (!href) return [{ kind: "text", text: address }, address.length];
  return [{ kind: "link", href, children: [{ kind: "text", text: address }] }, address.length];
}

const BULLET = /^\s{0,6}[-*+•]\s+(.*)$/;
const NUMBER = /^\s{0,6}(\d{1,4})[.)]\s+(.*)$/;
const HEADING = /^\s{0,3}#{1,6}\s+(.*?)\s*#*$/;
const FENCE = /^\s{0,3}```/;

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
      blocks.push({ kind: "heading", children: parseInline(heading[1]!) });
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

/** Reads the list that starts at `from`; gives the index of its last line. */
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

/** The text as DOM nodes of `page`. */
export function renderMarkdown(source: string, page: Document = document): DocumentFragment {
  const fragment = page.createDocumentFragment();
  for (const block of parseMarkdown(source)) {
    if (block.kind === "pre") {
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
