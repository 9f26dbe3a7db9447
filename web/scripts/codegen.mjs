// Generates typed documents from each file of operations and validates them against the public schema.
//
// The output is `generated/<room>.ts` and is never committed. It has the enums and inputs in use, and a result type
// and a variables type for each operation with its ID and minified text. An operation that `../schema.graphql` does
// not have fails the build.
//
// `generated/documents.json` has the text of each ID. The server trusts these documents. `generated/schema.ts` has the
// types of the whole schema, for programs that use the package in `client/`.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Kind, buildASTSchema, isAbstractType, isEnumType, isInputObjectType, isListType, isNonNullType, parse, print,
  stripIgnoredCharacters, typeFromAST, validate, visit,
} from "graphql";
import { schemaTypes } from "./schema-types.mjs";

const WEB = fileURLToPath(new URL("..", import.meta.url));
/** The files of operations. Those of `forms` are part of files that the panel loads when they are needed. */
const ROOMS = {
  widget: "widget/operations.graphql", forms: "widget/forms.graphql", dashboard: "dashboard/operations.graphql", client: "client/operations.graphql",
};
/** Their documents are trusted by the server. Other programs that use the package register those that they need. */
const TRUSTED_ROOMS = ["widget", "forms", "dashboard"];
const SCALARS = { ID: "string", String: "string", Int: "number", Float: "number", Boolean: "boolean", Upload: "null" };

/** A document with one operation and the fragments that it uses. */
function standalone(operation, fragments) {
  const reached = new Map();
  const walk = (node) => visit(node, {
    FragmentSpread: ({ name }) => {
      const fragment = fragments.get(name.value);
      if (!fragment || reached.has(name.value)) return;
      reached.set(name.value, fragment);
      walk(fragment);
    },
  });
  walk(operation);
  return { kind: Kind.DOCUMENT, definitions: [operation, ...reached.values()] };
}

/** Writes the TypeScript types of one operation. */
class Writer {
  constructor(schema, fragments, named) {
    this.schema = schema;
    this.fragments = fragments;
    this.named = named;
  }

  /** Writes `type` as TypeScript. `inner` writes its named type. */
  wrap(type, inner) {
    if (isNonNullType(type)) return this.bare(type.ofType, inner);
    return `${this.bare(type, inner)} | null`;
  }

  bare(type, inner) {
    if (isListType(type)) return `Array<${this.wrap(type.ofType, inner)}>`;
    return inner(type);
  }

  leaf(type) {
    if (isEnumType(type)) {
      this.named.set(type.name, `export type ${type.name} = ${type.getValues().map((v) => JSON.stringify(v.name)).join(" | ")};`);
      return type.name;
    }
    return SCALARS[type.name] ?? "string";
  }

  input(type) {
    if (!isInputObjectType(type)) return this.leaf(type);
    if (!this.named.has(type.name)) {
      this.named.set(type.name, "");
      const fields = Object.values(type.getFields()).map((f) =>
        `  ${f.name}${isNonNullType(f.type) && f.defaultValue === undefined ? "" : "?"}: ${this.wrap(f.type, (t) => this.input(t))};`);
      this.named.set(type.name, `export interface ${type.name} {\n${fields.join("\n")}\n}`);
    }
    return type.name;
  }

  /** Collects the fields of a selection set. Fields in a fragment on an abstract type are optional. */
  fields(set, parent, optional, out = new Map()) {
    for (const node of set.selections) {
      if (node.kind === Kind.FIELD) {
        this.field(node, parent, optional, out);
        continue;
      }
      const fragment = node.kind === Kind.FRAGMENT_SPREAD ? this.fragments.get(node.name.value) : node;
      const on = fragment.typeCondition ? this.schema.getType(fragment.typeCondition.name.value) : parent;
      this.fields(fragment.selectionSet, on, optional || (isAbstractType(parent) && on !== parent), out);
    }
    return out;
  }

  field(node, parent, optional, out) {
    const key = node.alias?.value ?? node.name.value;
    if (node.name.value === "__typename") {
      out.set(key, `"${parent.name}"`.replace(/^.*$/, (text) => (isAbstractType(parent) ? "string" : text)));
      return;
    }
    const { type } = parent.getFields()[node.name.value];
    const text = this.wrap(type, (t) => (node.selectionSet ? this.object(node.selectionSet, t) : this.leaf(t)));
    const mark = optional ? "?" : "";
    out.set(key + mark, text);
  }

  object(set, type) {
    return `{ ${[...this.fields(set, type, false)].map(([k, v]) => `${k}: ${v}`).join("; ")} }`;
  }
}

function variables(operation, writer) {
  const fields = (operation.variableDefinitions ?? []).map((v) => {
    const type = typeFromAST(writer.schema, v.type);
    const needed = isNonNullType(type) && !v.defaultValue;
    return `${v.variable.name.value}${needed ? "" : "?"}: ${writer.wrap(type, (t) => writer.input(t))}`;
  });
  return fields.length ? `{ ${fields.join("; ")} }` : "Record<string, never>";
}

/** Writes a type for each fragment, so that components can name the type of their data. */
function fragmentTypes(schema, fragments, named) {
  const writer = new Writer(schema, fragments, named);
  return [...fragments.values()].map(({ name, typeCondition, selectionSet }) =>
    `export type ${name.value} = ${writer.object(selectionSet, schema.getType(typeCondition.name.value))};`);
}

/** Ends the build when the schema does not have what a document selects. */
function check(schema, file, name, document) {
  const problems = validate(schema, document);
  if (problems.length === 0) return;
  console.error(`codegen: ${file}, ${name}: ${problems.map(({ message }) => message).join("; ")}`);
  process.exit(1);
}

/** Hexadecimal digits of the hash in an ID. 48 bits distinguish the few documents of a build. */
const ID_DIGITS = 12;
const idOf = (text) => `helpbot:${createHash("sha256").update(text).digest("hex").slice(0, ID_DIGITS)}`;

function generate(room, schema, documents) {
  const file = join(WEB, ROOMS[room]);
  const document = parse(readFileSync(file, "utf8"));
  const fragments = new Map(document.definitions.filter((d) => d.kind === Kind.FRAGMENT_DEFINITION).map((d) => [d.name.value, d]));
  const named = new Map();
  const operations = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  const lines = operations.map((operation) => {
    const name = operation.name.value;
    const alone = standalone(operation, fragments);
    check(schema, ROOMS[room], name, alone);
    const writer = new Writer(schema, fragments, named);
    const root = schema.getRootType(operation.operation);
    const minified = stripIgnoredCharacters(print(alone));
    const id = idOf(minified);
    documents[id] = minified;
    return `export type ${name}Result = ${writer.object(operation.selectionSet, root)};
export type ${name}Variables = ${variables(operation, writer)};
export const ${name} = ${JSON.stringify({ id, text: minified })} as unknown as Doc<${name}Result, ${name}Variables>;`;
  });
  const types = fragmentTypes(schema, fragments, named);
  const inputs = enumFields(schema, named);
  return `// Generated by scripts/codegen.mjs from ${ROOMS[room]}; never edited.
import type { Doc } from "../client/src/document";

${[...named.values()].join("\n")}
${inputs}
${types.join("\n")}
${lines.join("\n")}
`;
}

/** Writes the list of values of each enum in use, for menus. */
function enumFields(schema, named) {
  return [...named.keys()].map((name) => schema.getType(name)).filter((t) => t && isEnumType(t))
    .map((t) => `export const ${t.name}Values = ${JSON.stringify(t.getValues().map((v) => v.name))} as const satisfies readonly ${t.name}[];`)
    .join("\n");
}

const schema = buildASTSchema(parse(readFileSync(join(WEB, "../schema.graphql"), "utf8")));
mkdirSync(join(WEB, "generated"), { recursive: true });
const write = (name, text) => writeFileSync(join(WEB, "generated", name), text);
const documents = {};
for (const room of Object.keys(ROOMS)) {
  if (!existsSync(join(WEB, ROOMS[room]))) continue;
  const own = {};
  write(`${room}.ts`, generate(room, schema, own));
  if (TRUSTED_ROOMS.includes(room)) Object.assign(documents, own);
  else write(`${room}.json`, `${JSON.stringify(own, null, 1)}\n`);
}
write("documents.json", `${JSON.stringify(documents, null, 1)}\n`);
write("schema.ts", schemaTypes(schema));
