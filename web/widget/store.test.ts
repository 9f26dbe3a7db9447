import { expect, test } from "vitest";
import { Store } from "./store";

/** A storage as each tab sees it: the last write of any tab wins. */
class SharedStorage {
  text: string | null = null;
  getItem = () => this.text;
  setItem = (_key: string, text: string) => void (this.text = text);
}

const note = (text: string) => ({ kind: "note" as const, key: text, text });

test("a_change_that_another_tab_overwrites_is_applied_again", () => {
  const storage = new SharedStorage();
  const store = new Store("chat", storage as unknown as Storage);
  store.update((state) => void state.entries.push(note("first")));
  const before = storage.text!;
  store.update((state) => void state.entries.push(note("mine")));
  const other = JSON.parse(before);
  other.entries.push(note("theirs"));
  other.changes["another tab"] = 1;

  storage.text = JSON.stringify(other);
  globalThis.dispatchEvent(new StorageEvent("storage", { key: "chat" }));

  expect(store.state.entries.map(({ key }) => key)).toEqual(["first", "theirs", "mine"]);
  expect(JSON.parse(storage.text!).entries).toHaveLength(3);
  store.close();
});

test("a_duplicated_tab_finds_no_id_and_the_next_page_in_the_tab_finds_it", () => {
  const storage = new SharedStorage() as unknown as Storage;
  const first = new Store("chat", storage);
  const copied = Object.entries(sessionStorage);
  expect(copied).toEqual([]);
  first.update((state) => void state.entries.push(note("first")));

  globalThis.dispatchEvent(new Event("pagehide"));
  first.close();
  const [second, third] = [new Store("chat", storage), new Store("chat", storage)];

  expect(second.earlierTab).toBe(first.tab);
  expect(third.earlierTab).toBeNull();
  expect(new Set([first.tab, second.tab, third.tab]).size).toBe(3);
  second.close();
  third.close();
});

test("an_old_change_is_not_applied_again", () => {
  const storage = new SharedStorage();
  let now = Date.now();
  const store = new Store("chat", storage as unknown as Storage, () => now);
  store.update((state) => void state.entries.push(note("mine")));
  now += 10_000;

  storage.text = JSON.stringify({ ...JSON.parse(storage.text!), entries: [], changes: { other: 1 } });
  globalThis.dispatchEvent(new StorageEvent("storage", { key: "chat" }));

  expect(store.state.entries).toEqual([]);
  store.close();
});

test("changes_of_an_earlier_chat_are_not_applied_again", () => {
  const storage = new SharedStorage();
  const store = new Store("chat", storage as unknown as Storage);
  store.update((state) => void state.entries.push(note("earlier")));

  storage.text = JSON.stringify({ ...JSON.parse(storage.text!), run: "another chat", entries: [], changes: {} });
  globalThis.dispatchEvent(new StorageEvent("storage", { key: "chat" }));

  expect(store.state.run).toBe("another chat");
  expect(store.state.entries).toEqual([]);
  store.close();
});
