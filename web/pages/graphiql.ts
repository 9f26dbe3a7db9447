// /graphiql: the schema at hand, with the key in a field of its own and operations to begin with.
//
// Built from npm like everything else: no CDN, no request off the host. Subscriptions go over WebSocket.

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createClient } from "graphql-ws";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { socketUrl } from "../live/socket";

const ENDPOINT = `${location.origin}/graphql`;

const EXAMPLES = [
  `# Who this key is, and what it may do.
query Me {
  viewer { kind scopes site { id name plan credits { used limit remaining resetAt } } }
}`,
  `# Ask as a visitor would; uses one credit.
mutation Ask {
  askQuestion(input: { question: "How do I add the widget to my site?" }) {
    conversation { id outcome confidence answer citations { title url quote score } }
    suggestions
    userErrors { field message code }
  }
}`,
  `# What found no answer, newest first.
query Unanswered {
  site { conversations(first: 10, filter: { state: UNANSWERED }) { totalCount nodes { id question createdAt } } }
}`,
  `# Live: everything that happens from now on. Bring the last cursor back as \`after\` to miss nothing.
subscription Watch {
  conversationEvents { cursor type createdAt conversation { id question } message { author text } }
}`,
];

const field = document.getElementById("key") as HTMLInputElement;
/** Where editor and result stand side by side, there is room for the variables too. */
const isWide = matchMedia("(min-width: 761px)").matches;
const root = createRoot(document.getElementById("app")!);

/** A new key is a new GraphiQL: it reads the schema again, as this key sees it. */
function start(apiKey: string): void {
  const wsClient = createClient({ url: socketUrl(ENDPOINT), connectionParams: { apiKey, authorization: `Bearer ${apiKey}` } });
  const fetcher = createGraphiQLFetcher({ url: ENDPOINT, headers: { Authorization: `Bearer ${apiKey}` }, wsClient });
  root.render(createElement(GraphiQL, { key: apiKey, fetcher, defaultTabs: EXAMPLES.map((query) => ({ query })), defaultEditorToolsVisibility: isWide && "variables" }));
}

/** CodeMirror's fields have no names; the region that each stands in has one. */
function nameFields(): void {
  for (const area of document.querySelectorAll(".CodeMirror textarea:not([aria-label])")) {
    const isHeaders = area.closest(".graphiql-editor-tool") && area.closest(".graphiql-editor:nth-child(2)");
    area.setAttribute("aria-label", isHeaders ? "Headers" : area.closest("section")?.getAttribute("aria-label") ?? "Result");
  }
}
new MutationObserver(nameFields).observe(document.getElementById("app")!, { childList: true, subtree: true });

document.getElementById("sign")!.addEventListener("submit", (event) => {
  event.preventDefault();
  if (field.value.trim()) start(field.value.trim());
});
