// A GraphQL operation, with the types of its result and variables attached. scripts/codegen.mjs creates these for the
// operations of this repository. `docOf` makes one of a text, for example one that graphql-codegen generated.
//
// A request contains the ID and the text. The server knows the documents of its own pages by their IDs, so they are
// executed even when it executes only trusted documents. The text is for a server of another version, which does not
// know the ID: a page can stay open during an update, and two nodes can have different versions for a moment.

declare const shape: unique symbol;

export interface Doc<Result, Variables> {
  readonly id: string | undefined;
  readonly text: string;
  readonly [shape]: [Result, Variables];
}

/** A text, or a `TypedDocumentString` of graphql-codegen (`documentMode: "string"`), whose type has the result and the variables. */
// eslint-disable-next-line @typescript-eslint/no-wrapper-object-types -- the generated class extends String.
export type TypedText<Result, Variables> = String & {
  readonly __apiType?: ((variables: Variables) => Result) | undefined;
  readonly __meta__?: Record<string, unknown> | undefined;
};

/** What a client can execute. */
export type Operation<Result, Variables> = Doc<Result, Variables> | TypedText<Result, Variables>;

/** The operation as a `Doc`. The hash that graphql-codegen puts into persisted documents is the ID. */
export function docOf<Result, Variables>(operation: Operation<Result, Variables>): Doc<Result, Variables> {
  if ("text" in Object(operation)) return operation as Doc<Result, Variables>;
  const { __meta__ } = operation as TypedText<Result, Variables>;
  return { id: __meta__?.["hash"], text: String(operation) } as Doc<Result, Variables>;
}

/** The parameters of a request that executes `document`. */
export const requestOf = <Result, Variables>({ id, text }: Doc<Result, Variables>, variables: unknown) => (
  { documentId: id, query: text, variables: variables as Record<string, unknown> }
);
