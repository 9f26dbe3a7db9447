// The states that are looked at: each brings a page to where the picture is taken.

const launcher = (page) => page.getByRole("button", { name: /chat/i });
const ask = async (page, text) => {
  await page.getByRole("textbox", { name: "Type your question…" }).fill(text);
  await page.keyboard.press("Enter");
};

/** What a scene provokes on purpose (a refused key, an unreadable colour), and what GraphiQL itself lacks for axe. */
export const provoked = { "dash-signin": /status of 401/, "dash-widget": /^color-contrast: div\[inline/,
  "graphiql": /^(label|nested-interactive|scrollable-region-focusable|target-size|color-contrast): / };

export const scenes = {
  "demo": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).waitFor();
  },
  "widget-open": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).click();
    await page.getByRole("dialog").waitFor();
  },
  "widget-answer": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).click();
    await ask(page, "How long does delivery take?");
    await page.getByRole("button", { name: "Helpful", exact: true }).click();
    await page.getByText("Glad it helped!").waitFor();
  },
  "widget-handoff": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).click();
    await ask(page, "Do you have gift cards?");
    await page.getByRole("button", { name: "Talk to a human" }).click();
    await page.getByPlaceholder("Your e-mail (optional)").fill("nobody@");
    await page.getByRole("button", { name: "Send", exact: true }).first().click();
    await page.getByText("Please check the e-mail").waitFor();
  },
  "widget-live": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).click();
    await ask(page, "Do you have gift cards?");
    await page.getByRole("button", { name: "Talk to a human" }).click();
    await page.getByRole("button", { name: "Skip" }).click();
    await page.getByText("Our team has been notified").waitFor();
    await ask(page, "Hello, is somebody there?");
    const found = await agent(origin, `{ site { conversations(first: 1) { nodes { id } } } }`);
    const id = found.site.conversations.nodes[0].id;
    await agent(origin, `mutation { sendMessage(input: {conversationId: "${id}", text: "Hi, **Mira** here. Yes: from 20 euros, by mail."}) { userErrors { message } } }`);
    await page.getByText("here. Yes: from 20 euros").waitFor();
  },
  "widget-error": async (page, origin) => {
    await page.goto(`${origin}/demo`);
    await launcher(page).click();
    await ask(page, "Please explode");
    await page.getByText("Something went wrong").waitFor();
  },
  "embed": async (page, origin) => {
    await page.goto(`${origin}/embed?apiKey=wk_live_mock`);
    await ask(page, "Is the canvas waterproof?");
    await page.getByText("It is waxed").waitFor();
  },
  "dash-signin": async (page, origin) => {
    await page.goto(`${origin}/dashboard`);
    await page.getByLabel("Key", { exact: true }).fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
  },
  "dash-overview": async (page, origin) => {
    await signIn(page, origin, "overview");
    await page.locator(".chart canvas").waitFor();
  },
  "dash-inbox": async (page, origin) => {
    await signIn(page, origin, "inbox");
    await page.getByText("Live", { exact: true }).waitFor();
    await page.locator(".entry").first().click();
    await page.getByRole("button", { name: "Take" }).click();
    await page.getByLabel("Your answer").fill("Hello Ada, gladly. How many bags do you think of?");
    await page.getByRole("button", { name: "Send" }).click();
    await page.locator(".line.agent").waitFor();
  },
  "dash-inboxempty": async (page, origin) => {
    await signIn(page, origin, "inbox");
    await page.getByRole("button", { name: "With the team" }).click();
    await page.getByText("None taken").waitFor();
  },
  "dash-conversations": async (page, origin) => {
    await signIn(page, origin, "conversations");
    await page.getByLabel("Show").selectOption("UNANSWERED");
    await page.locator("summary").first().click();
    await page.getByLabel("Write the answer").first().waitFor();
  },
  "dash-answers": async (page, origin) => {
    await signIn(page, origin, "answers");
    await page.locator("summary").first().click();
    await page.getByRole("button", { name: "Write an answer" }).click();
  },
  "dash-sources": async (page, origin) => {
    await signIn(page, origin, "sources");
    await page.getByLabel("Address of a page").fill("https://tern.example/care");
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByText("Added. It is being read.").waitFor();
    await page.getByText("Page report").first().click();
    await page.getByText("robots.txt disallows it").first().waitFor();
    await page.getByRole("button", { name: /^Delete/ }).first().click();
  },
  "dash-lab": async (page, origin) => {
    await signIn(page, origin, "lab");
    await page.getByLabel("Question").fill("How long does delivery take?");
    await page.getByRole("button", { name: "Ask" }).click();
    await page.getByText("What it rests on").waitFor();
  },
  "dash-widget": async (page, origin) => {
    await signIn(page, origin, "widget");
    await page.getByLabel("Text on them", { exact: true }).fill("#7aa2ff");
    await page.getByText("many people cannot read it").waitFor();
    await page.getByRole("dialog").waitFor();
  },
  "dash-keys": async (page, origin) => {
    await signIn(page, origin, "keys");
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByLabel("Kind").selectOption("SECRET");
  },
  "dash-secret": async (page, origin) => {
    await signIn(page, origin, "keys");
    await page.getByRole("button", { name: "New key" }).click();
    await page.getByRole("button", { name: "Make the key" }).click();
    await page.getByText("Copy it now").waitFor();
  },
  "graphiql": async (page, origin) => {
    await page.goto(`${origin}/graphiql`);
    await page.getByLabel("Key", { exact: true }).fill("sk_live_mock");
    await page.getByRole("button", { name: "Use" }).click();
    await page.getByRole("button", { name: /Execute/ }).click();
    await page.getByText("Tern & Tide").waitFor();
  },
  "dash-topics": async (page, origin) => {
    await signIn(page, origin, "topics");
    await page.getByLabel("The answer").first().fill("Yes: bring them in on a Tuesday.");
    await page.getByRole("button", { name: "Save and try" }).first().click();
    await page.getByText("answered now").first().waitFor();
  },
  "dash-webhooks": async (page, origin) => {
    await signIn(page, origin, "webhooks");
    await page.getByText("Deliveries", { exact: true }).click();
    await page.getByText("Attempts").last().click();
    await page.getByText("did not answer within").waitFor();
  },
  "dash-webhookform": async (page, origin) => {
    await signIn(page, origin, "webhooks");
    await page.getByRole("button", { name: "New webhook" }).click();
  },
  "dash-members": async (page, origin) => {
    await signIn(page, origin, "members");
    await page.getByRole("button", { name: "Add a member" }).click();
  },
};

async function signIn(page, origin, name) {
  await page.goto(`${origin}/dashboard/${name}`);
  await page.getByLabel("Key", { exact: true }).fill("sk_live_mock");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
}

async function agent(origin, query) {
  const response = await fetch(`${origin}/graphql`, { method: "POST", headers: { "Content-Type": "application/json", Authorization: "Bearer sk_live_mock" }, body: JSON.stringify({ query }) });
  return (await response.json()).data;
}
