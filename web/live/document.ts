// The text of a GraphQL operation, with the types of its result and variables attached.
// Only scripts/codegen.mjs creates these; at run time a document is a plain string.

declare const shape: unique symbol;

export type Doc<Result, Variables> = string & { readonly [shape]: [Result, Variables] };
