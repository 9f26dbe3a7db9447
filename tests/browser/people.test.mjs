// Checks that a member is invited and signs in by mail from end to end, that a link works only in the browser that asked
// for it, and that pages hide what a role may not do.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { launch, watchedPage } from "./browser.mjs";
import { Agent, violations } from "./pages.mjs";
import { startServer, until } from "./server.mjs";

let browser;
let server;
let mailbox;
const mails = [];

before(async () => {
  mailbox = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS", "AUTH"], onData: (stream, _session, done) => simpleParser(stream).then((mail) => done(null, mails.push(mail)), done) });
  await new Promise((resolve) => mailbox.listen(0, "127.0.0.1", resolve));
  server = await startServer({ HELPBOT_SMTP_URL: `smtp://127.0.0.1:${mailbox.server.address().port}`, HELPBOT_SMTP_FROM: "HelpBot <help@example.org>" });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.stop();
  mailbox?.close();
});

/** The link in the newest mail to an address, once there are `count` mails to it. */
async function linkIn(address, count = 1) {
  const found = () => mails.filter(({ to }) => to.text === address);
  await until(() => found().length >= count);
  return /https?:\S+#sign-in=\S+/.exec(found().at(-1).text)[0];
}

/** A page in a separate browser profile. */
const stranger = () => watchedPage(browser, server.origin, { viewport: { width: 1280, height: 900 } });
const nav = (page) => page.getByRole("navigation", { name: "Pages", exact: true });

async function invite(admin, name, role) {
  await admin.page.getByRole("button", { name: "Add a member" }).click();
  const form = admin.page.getByRole("dialog");
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("E-mail").fill(`${name.toLowerCase()}@example.org`);
  await form.getByLabel("Role").selectOption(role);
  await form.getByRole("button", { name: "Send the invitation" }).click();
  await admin.page.getByRole("heading", { level: 2, name }).waitFor();
}

test("a_member_is_invited_and_signs_in_by_mail", async () => {
  const admin = await Agent.on(browser, server, "members");
  await invite(admin, "Ann", "AGENT");
  await admin.page.getByText("invited, not joined yet").waitFor();
  assert.deepEqual(await violations(admin.page), []);

  const ann = await stranger();
  await ann.page.goto(await linkIn("ann@example.org"));
  assert.equal(new URL(ann.page.url()).hash, "", "the link leaves the address bar");
  assert.deepEqual(await violations(ann.page), []);
  await ann.page.getByRole("button", { name: "Continue to the dashboard" }).click();
  await nav(ann.page).waitFor();
  assert.equal(await ann.page.locator(".me").innerText(), "Ann");
  await admin.page.reload();
  await admin.signIn(server);
  await admin.page.getByText("added").first().waitFor();
  assert.equal(await admin.page.getByText("invited, not joined yet").count(), 0);

  await ann.page.getByRole("button", { name: "Sign out" }).click();
  await ann.page.getByLabel("E-mail").fill("Ann@example.org");
  await ann.page.getByRole("button", { name: "Mail me a link" }).click();
  await ann.page.getByText("a link is on its way").waitFor();
  assert.deepEqual(await violations(ann.page), []);
  const link = await linkIn("ann@example.org", 2);

  const thief = await stranger();
  await thief.page.goto(link);
  await thief.page.getByRole("button", { name: "Continue to the dashboard" }).click();
  await thief.page.getByText("in the browser in which you asked for it").waitFor();

  const tab = await ann.page.context().newPage();
  await tab.goto(link);
  await tab.getByRole("button", { name: "Continue to the dashboard" }).click();
  await nav(tab).waitFor();
  await tab.reload();
  await nav(tab).waitFor();
  assert.deepEqual(ann.faults, []);
});

test("a_stranger_learns_nothing_about_an_address", async () => {
  const { page } = await stranger();
  await page.goto(`${server.origin}/dashboard`);
  await page.getByLabel("E-mail").fill("nobody@example.org");
  await page.getByRole("button", { name: "Mail me a link" }).click();

  await page.getByText("a link is on its way").waitFor();
  assert.equal(mails.filter(({ to }) => to.text === "nobody@example.org").length, 0);
});

test("pages_hide_what_a_role_may_not_do", async () => {
  const admin = await Agent.on(browser, server, "members");
  await invite(admin, "Ben", "READER");
  const ben = await stranger();
  await ben.page.goto(await linkIn("ben@example.org"));
  await ben.page.getByRole("button", { name: "Continue to the dashboard" }).click();
  await nav(ben.page).waitFor();

  const titles = (await nav(ben.page).getByRole("link").allInnerTexts()).map((title) => title.replace(/ \(\d+\)$/, ""));
  assert.deepEqual(titles, ["Overview", "Inbox", "Conversations", "Unanswered", "Answers", "Sources", "Widget", "Canned replies", "Business hours", "Members", "Protection"]);
  for (const title of titles) {
    await nav(ben.page).getByRole("link", { name: title }).click();
    await ben.page.getByRole("heading", { level: 1, name: title }).waitFor();
    await until(async () => await ben.page.getByText("Loading…").count() === 0);
    assert.equal(await ben.page.getByRole("alert").count(), 0, title);
  }
  await nav(ben.page).getByRole("link", { name: "Members" }).click();
  await ben.page.getByRole("heading", { level: 2, name: "Ben" }).waitFor();
  assert.equal(await ben.page.getByRole("button", { name: "Add a member" }).count(), 0);
  await ben.page.goto(`${server.origin}/dashboard/audit`);
  await ben.page.getByText("Your role does not include this page").waitFor();
  assert.deepEqual(ben.faults, []);
});

test("an_admin_reads_who_changed_what", async () => {
  const admin = await Agent.on(browser, server, "audit");
  const rows = admin.page.getByRole("region", { name: "Changes" }).getByRole("row");
  await rows.filter({ hasText: "invite member" }).first().waitFor();
  await rows.filter({ hasText: "accept invitation" }).first().waitFor();
  assert.deepEqual(await violations(admin.page), []);

  await admin.page.getByLabel("Member").selectOption("Ann");
  // While the list is loading there are no rows at all.
  await until(async () => await rows.filter({ hasText: "Ann" }).count() > 0 && await rows.filter({ hasText: "invite member" }).count() === 0);
  assert.ok(admin.page.url().includes("member="), "the filter is part of the URL");
  await admin.page.getByLabel("Action").selectOption("signOut");
  await until(async () => await rows.count() === 2);
  assert.deepEqual(admin.faults, []);
});
