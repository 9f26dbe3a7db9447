// Checks that the widget and the dashboard work when the server executes only trusted documents.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch } from "./browser.mjs";
import { Agent, Visitor } from "./pages.mjs";
import { graphql, startServer } from "./server.mjs";

/** What `startServer` asks until the server is ready. */
const READY = "{ site { sources(first: 5) { nodes { status } } } }";
const QUESTION = "Is anybody there on Sundays?";

let browser;
let server;
let documents;
before(async () => {
  documents = mkdtempSync(join(tmpdir(), "helpbot-documents-"));
  writeFileSync(join(documents, "ready.graphql"), READY);
  server = await startServer({ HELPBOT_ONLY_TRUSTED_DOCUMENTS: "on", HELPBOT_TRUSTED_DOCUMENTS: documents });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.stop();
  rmSync(documents, { recursive: true });
});

test("visitors_and_agents_work_when_only_trusted_documents_are_executed", async () => {
  await assert.rejects(graphql(server.origin, server.secretKey, "{ site { id } }"), /trusted documents/);
  const visitor = await Visitor.on(browser, server);
  await visitor.open();
  await visitor.ask(QUESTION);
  await visitor.wantHuman();

  const agent = await Agent.on(browser, server, "inbox");
  await agent.isLive();
  await agent.read(QUESTION);
  const titles = await agent.page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("link").allInnerTexts();
  for (const title of titles) {
    await agent.go(title);
    await agent.isLoaded();
    assert.equal(await agent.page.getByRole("alert").count(), 0, title);
  }
});
