// The text of a GraphQL operation, carrying the types of its result and variables.
// Made by scripts/codegen.mjs only; at run time it is a plain string.

declare const shape: unique symbol;

export type Doc<Result, Variables> = string & { readonly [shape]: [Result, Variables] };
