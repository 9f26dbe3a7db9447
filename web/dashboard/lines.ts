// The messages of a conversation that the page has, in their order and without a gap.

interface Numbered {
  id: string;
  seq: number;
}

/** Messages by ID in their order. */
export function merged<T extends Numbered>(lines: T[], fresh: T[]): T[] {
  const byId = new Map([...lines, ...fresh].map((line) => [line.id, line]));
  return [...byId.values()].sort((a, b) => a.seq - b.seq);
}

/**
 * The messages after the newest ones were read again. Messages before a gap, which came while the page was not connected, are
 * left out: they can be read again as earlier messages.
 */
export function refreshed<T extends Numbered>(lines: T[], newest: T[]): { lines: T[]; hasGap: boolean } {
  const first = newest[0]?.seq ?? 0;
  const hasGap = lines.length > 0 && newest.length > 0 && lines.every(({ seq }) => seq < first - 1 || seq > newest.at(-1)!.seq);
  return { lines: merged(hasGap ? lines.filter(({ seq }) => seq >= first) : lines, newest), hasGap };
}
