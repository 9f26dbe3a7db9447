// Live queries: the result at once, and again after each change. The server sends the first result of a connection whole
// and then JSON patches (RFC 6902), which this module applies. A new connection begins with the newest result.

import { type Doc, requestOf } from "./document";
import type { Source } from "./follow";

/** A result of a live query. It has no cursor, because a new connection begins with the newest result. */
export interface LiveResult<Result> {
  data: Result;
  cursor?: undefined;
}

interface Change {
  op: string;
  path: string;
  value?: unknown;
}

/** The results of the query `document`, which must have the directive `@live`. */
export const liveOf = <Result, Variables>(document: Doc<Result, Variables>, variables: () => Variables): Source<LiveResult<Result>> => ({
  request: () => ({ ...requestOf(document, variables()), extensions: { livePatches: true } }),
  decoder: () => {
    let data: unknown;
    let revision = 0;
    return (payload) => {
      // A missing patch would make all later ones wrong. The next connection begins with a whole result.
      if (payload.patch && payload.revision !== revision + 1) return false;
      data = payload.patch ? (payload.patch as Change[]).reduce(changed, data) : payload.data;
      revision = payload.revision ?? 0;
      return { data: data as Result };
    };
  },
});

/** `document` with one change. The document itself is not modified, and parts without a change stay the same objects. */
function changed(document: unknown, { op, path, value }: Change): unknown {
  const keys = path.split("/").slice(1).map((key) => key.replace(/~1/g, "/").replace(/~0/g, "~"));
  return at(document, keys, op, value);
}

function at(node: unknown, [key, ...rest]: string[], op: string, value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(node)) {
    const index = key === "-" ? node.length : Number(key);
    if (rest.length) return node.with(index, at(node[index], rest, op, value));
    return node.toSpliced(index, op === "add" ? 0 : 1, ...(op === "remove" ? [] : [value]));
  }
  const copy = { ...(node as Record<string, unknown>) };
  if (rest.length || op !== "remove") copy[key] = at(copy[key], rest, op, value);
  else delete copy[key];
  return copy;
}
