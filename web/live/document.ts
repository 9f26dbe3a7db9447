// A GraphQL operation, with the types of its result and variables attached. Only scripts/codegen.mjs creates these.
//
// A request contains the ID and the text. The server knows the documents of its own pages by their IDs, so they are
// executed even when it executes only trusted documents. The text is for a server of another version, which does not
// know the ID: a page can stay open during an update, and two nodes can have different versions for a moment.

declare const shape: unique symbol;

export interface Doc<Result, Variables> {
  readonly id: string;
  readonly text: string;
  readonly [shape]: [Result, Variables];
}

/** The parameters of a request that executes `document`. */
export const requestOf = <Result, Variables>({ id, text }: Doc<Result, Variables>, variables: unknown) => (
  { documentId: id, query: text, variables: variables as Record<string, unknown> }
);
