import { expect, test } from "vitest";
import { localeOf } from "./words";

test("a_language_of_the_site_counts_more_than_that_of_the_visitor", async () => {
  expect((await localeOf("auto", "de-AT")).words.send).toBe("Senden");
  expect((await localeOf("fr", "de-AT")).words.send).toBe("Envoyer");
  expect(await localeOf("auto", "he")).toMatchObject({ lang: "en", dir: "rtl", words: { send: "Send" } });
});
