// /graphiql: GraphiQL with a field for the API key and example operations.
//
// All files come from npm packages in this build, so the page loads nothing from other hosts. Subscriptions use
// WebSocket.

import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createClient } from "graphql-ws";
import { createElement } from "react";
import { createRoot } from "react-dom/client";
import { socketUrl } from "../client/src/socket";

const ENDPOINT = `${location.origin}/graphql`;

const EXAMPLES = [
  `# The key that you use, and its permissions.
query Me {
  viewer { kind scopes site { id name plan credits { used limit remaining resetAt } } }
}`,
  `# Ask a question as a visitor would. This uses one credit.
mutation Ask {
  askQuestion(input: { question: "How do I add the widget to my site?" }) {
    conversation { id outcome confidence answer citations { title url quote score } }
    suggestions
    userErrors { field message code }
  }
}`,
  `# Unanswered questions, newest first.
query Unanswered {
  site { conversations(first: 10, filter: { state: UNANSWERED }) { totalCount nodes { id question createdAt } } }
}`,
  `# All events from now on. Pass the last cursor as \`after\` to continue without a gap.
subscription Watch {
  conversationEvents { cursor type createdAt conversation { id question } message { author text } }
}`,
];

const field = document.getElementById("key") as HTMLInputElement;
/** A wide window also has room for the editor of the variables. */
const isWide = matchMedia("(min-width: 761px)").matches;
const root = createRoot(document.getElementById("app")!);

/** Starts a new GraphiQL, which loads the schema that is visible to `apiKey`. */
function start(apiKey: string): void {
  const wsClient = createClient({ url: socketUrl(ENDPOINT), connectionParams: { apiKey, authorization: `Bearer ${apiKey}` } });
  const fetcher = createGraphiQLFetcher({ url: ENDPOINT, headers: { Authorization: `Bearer ${apiKey}` }, wsClient });
  root.render(createElement(GraphiQL, { key: apiKey, fetcher, defaultTabs: EXAMPLES.map((query) => ({ query })), defaultEditorToolsVisibility: isWide && "variables" }));
}

/** The text fields of CodeMirror have no accessible names, so each gets the name of its region. */
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
