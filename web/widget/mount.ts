// The module that the loader imports: it makes the panel with the language of the page and the connection to the server.

import { ServerBackend } from "./backend";
import { Store } from "./store";
import { WidgetPanel } from "./panel";
import { request } from "../client/src/graphql";
import { Starters } from "../generated/widget";
import { type Panel, type Shell, storageKey } from "./shell";
import { localeOf } from "./words";

export async function mount(shell: Shell): Promise<Panel> {
  const endpoint = `${shell.base}/graphql`;
  const language = document.documentElement.lang || navigator.language;
  // The panel opens without the questions, which may take long.
  const starters = shell.host.getAttribute("questions")?.match(/[^|\s][^|]*/g) ?? request(endpoint, shell, Starters, { language }).then(({ site }) => site!.widget!.starterQuestions).catch(() => []);
  const locale = await localeOf(shell.config.aiLanguage, language);
  return new WidgetPanel(shell, locale, new ServerBackend(endpoint, shell.apiKey), new Store(storageKey(shell.apiKey)), starters);
}
