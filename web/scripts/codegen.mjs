// Generates typed documents from each file of operations and validates them against the public schema.
//
// The output is `generated/<room>.ts` and is never committed. It has the enums and inputs in use, a result type
// and a variables type for each operation, its ID and minified text, and `supports`, which tells whether the
// schema of this build has the operation. `../schema.graphql` decides. The types of an operation that it does not
// have yet come from `schema/planned.graphql`, and `supports` is false, so that a page can hide the feature. A
// nullable field that is missing is removed from the text. An operation that fits neither schema fails the build.
//
// `generated/documents.json` has the text of each ID. The server trusts these documents. `generated/schema.ts` has the
// types of the whole schema, for programs that use the package in `client/`.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Kind, TypeInfo, buildASTSchema, getNamedType, isAbstractType, isEnumType, isInputObjectType, isListType, isNonNullType,
  parse, print, stripIgnoredCharacters, typeFromAST, validate, visit, visitWithTypeInfo,
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

/** Loads the public schema, and the same schema extended by the planned types. */
function loadSchemas() {
  const [truth, planned] = [join(WEB, "../schema.graphql"), join(WEB, "schema/planned.graphql")]
    .map((file) => (existsSync(file) ? parse(readFileSync(file, "utf8")) : null));
  return { truth: buildASTSchema(truth), planned: planned && buildASTSchema(merged(truth, planned)) };
}

/** The public schema with the additional types and fields of the planned schema. */
function merged(truth, planned) {
  const byName = new Map(truth.definitions.map((d) => [d.name?.value ?? d.kind, d]));
  for (const plan of planned.definitions) {
    const own = byName.get(plan.name.value);
    const missing = own && plan.fields?.filter((field) => !own.fields.some((f) => f.name.value === field.name.value));
    byName.set(plan.name.value, own ? { ...own, ...(missing && { fields: [...own.fields, ...missing] }) } : plan);
  }
  return { kind: Kind.DOCUMENT, definitions: [...byName.values()] };
}

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
function fragmentTypes(fragments, schemas, named) {
  return [...fragments.values()].flatMap((fragment) => {
    const alone = standalone(fragment, fragments);
    const schema = pick(alone, schemas, true)?.schema;
    if (!schema) return [];
    const writer = new Writer(schema, fragments, named);
    return [`export type ${fragment.name.value} = ${writer.object(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value))};`];
  });
}

/** Removes the nullable fields and enum values that `schema` does not have yet. */
function pruned(document, schema) {
  const info = new TypeInfo(schema);
  return visit(document, visitWithTypeInfo(info, {
    Field: (node) => {
      const parent = info.getParentType();
      if (!parent || node.name.value === "__typename" || info.getFieldDef()) return undefined;
      return schema.getRootType("query") === parent || schema.getMutationType() === parent ? undefined : null;
    },
    EnumValue: (node) => {
      const type = getNamedType(info.getInputType());
      return type && isEnumType(type) && !type.getValue(node.value) ? null : undefined;
    },
  }));
}

/** Finds the schema that provides the types of the document, the text to send, and whether it can be sent. */
function pick(document, { truth, planned }, isFragment = false) {
  const problems = (schema, text) => validate(schema, text).filter((e) => !(isFragment && /never used/.test(e.message)));
  const own = problems(truth, document);
  if (own.length === 0) return { schema: truth, supported: true, own, document };
  if (planned && problems(planned, document).length === 0) {
    const rest = pruned(document, truth);
    return { schema: planned, supported: problems(truth, rest).length === 0, own, document: rest };
  }
  return isFragment ? null : { schema: null, supported: false, own, document };
}

/** Hexadecimal digits of the hash in an ID. 48 bits distinguish the few documents of a build. */
const ID_DIGITS = 12;
const idOf = (text) => `helpbot:${createHash("sha256").update(text).digest("hex").slice(0, ID_DIGITS)}`;

function generate(room, schemas, documents) {
  const file = join(WEB, ROOMS[room]);
  const document = parse(readFileSync(file, "utf8"));
  const fragments = new Map(document.definitions.filter((d) => d.kind === Kind.FRAGMENT_DEFINITION).map((d) => [d.name.value, d]));
  const named = new Map();
  const operations = document.definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  const supports = [];
  const lines = operations.map((operation) => {
    const name = operation.name.value;
    const alone = standalone(operation, fragments);
    const { schema, supported, own, document: text } = pick(alone, schemas);
    if (!schema) throw new Error(`${ROOMS[room]}, ${name}: ${own.map((e) => e.message).join("; ")}`);
    if (own.length) console.warn(`codegen: ${room}, ${name}${supported ? " is cut down" : " is left out"}: ${own[0].message}`);
    supports.push(`  ${name}: ${supported},`);
    const writer = new Writer(schema, fragments, named);
    const root = schema.getRootType(operation.operation);
    const minified = stripIgnoredCharacters(print(supported ? text : alone));
    const id = idOf(minified);
    if (supported) documents[id] = minified;
    return `export type ${name}Result = ${writer.object(operation.selectionSet, root)};
export type ${name}Variables = ${variables(operation, writer)};
export const ${name} = ${JSON.stringify({ id, text: minified })} as unknown as Doc<${name}Result, ${name}Variables>;`;
  });
  const types = fragmentTypes(fragments, schemas, named);
  const inputs = enumFields(schemas.truth, named);
  return `// Generated by scripts/codegen.mjs from ${ROOMS[room]}; never edited.
import type { Doc } from "../client/src/document";

${[...named.values()].join("\n")}
${inputs}
${types.join("\n")}
${lines.join("\n")}
/** Whether the schema of this build has the operation. */
export const supports: Record<${operations.map((o) => JSON.stringify(o.name.value)).join(" | ")}, boolean> = {
${supports.join("\n")}
};
`;
}

/** Writes the list of values of each enum in use, for menus. */
function enumFields(schema, named) {
  return [...named.keys()].map((name) => schema.getType(name)).filter((t) => t && isEnumType(t))
    .map((t) => `export const ${t.name}Values = ${JSON.stringify(t.getValues().map((v) => v.name))} as const satisfies readonly ${t.name}[];`)
    .join("\n");
}

const schemas = loadSchemas();
mkdirSync(join(WEB, "generated"), { recursive: true });
const write = (name, text) => writeFileSync(join(WEB, "generated", name), text);
const documents = {};
for (const room of Object.keys(ROOMS)) {
  if (!existsSync(join(WEB, ROOMS[room]))) continue;
  const own = {};
  write(`${room}.ts`, generate(room, schemas, own));
  if (TRUSTED_ROOMS.includes(room)) Object.assign(documents, own);
  else write(`${room}.json`, `${JSON.stringify(own, null, 1)}\n`);
}
write("documents.json", `${JSON.stringify(documents, null, 1)}\n`);
write("schema.ts", schemaTypes(schemas.truth));
