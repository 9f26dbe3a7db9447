// Compares the server's validation with graphql-js: documents and variables are generated from
// schema.graphql, valid or broken in one place, and both must accept or both must refuse each of them.
//   node differential.mjs http://HOST:PORT KEY OPERATOR [COUNT] [SEED]
// The server executes what it accepts, so the documents only read, and ask for IDs that do not exist.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import {
  buildSchema, getNamedType, getVariableValues, isCompositeType, isEnumType, isInputObjectType, isInterfaceType, isListType,
  isNonNullType, isObjectType, isRequiredArgument, isRequiredInputField, isUnionType, parse, specifiedRules, validate,
} from 'graphql';
import { httpUrl, bearer, check } from './harness.mjs';

const count = Number(process.argv[5] ?? 2000);
const seed = Number(process.argv[6] ?? Date.now() % 1_000_000_000);
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const scalar = (name, accepts) => {
  const parseValue = (value) => {
    if (!accepts(value)) throw new Error(`not a ${name}`);
    return value;
  };
  Object.assign(schema.getType(name), { parseValue, parseLiteral: (node) => parseValue(node.kind === 'StringValue' ? node.value : undefined) });
};
scalar('DateTime', (value) => typeof value === 'string' && TIME.test(value));
scalar('Date', (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value));

// mulberry32
let state = seed;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const maybe = (p) => random() < p;
const pick = (list) => list[Math.floor(random() * list.length)];

/** A JSON value of the type. */
function value(type, depth = 0) {
  if (isNonNullType(type)) return value(type.ofType, depth);
  if (isListType(type)) return maybe(0.1) ? value(type.ofType, depth) : Array.from({ length: 1 + Math.floor(random() * 2) }, () => value(type.ofType, depth));
  if (isEnumType(type)) return { enum: pick(type.getValues()).name };
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter((field) => isRequiredInputField(field) || (depth < 2 && maybe(0.3)));
    return Object.fromEntries(fields.map((field) => [field.name, value(field.type, depth + 1)]));
  }
  switch (type.name) {
    case 'Int': return 1 + Math.floor(random() * 3);
    case 'Float': return maybe(0.5) ? 1.5 : 2;
    case 'Boolean': return maybe(0.5);
    case 'DateTime': return '2026-01-15T10:30:00Z';
    case 'Date': return '2026-01-15';
    default: return pick(['a', 'ü "b" \\', '', '😀']);
  }
}
const isEnum = (v) => v !== null && typeof v === 'object' && !Array.isArray(v) && typeof v.enum === 'string';
/** Marks a value that is written as a variable. */
const isVariable = (v) => v !== null && typeof v === 'object' && typeof v.variable === 'string';
function literal(v) {
  if (isVariable(v)) return v.variable;
  if (isEnum(v)) return v.enum;
  if (typeof v === 'string' && !/["\\]/.test(v) && v !== '' && maybe(0.1)) return `"""\n  ${v}\n"""`;
  if (Array.isArray(v)) return `[${v.map(literal).join(' ')}]`;
  if (v !== null && typeof v === 'object') return `{${Object.entries(v).map(([name, field]) => `${name}: ${literal(field)}`).join(', ')}}`;
  return JSON.stringify(v);
}
function json(v) {
  if (isEnum(v)) return v.enum;
  if (Array.isArray(v)) return v.map(json);
  if (v !== null && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([name, field]) => [name, json(field)]));
  return v;
}

/** The value with some of its parts replaced by variables. */
function withVariables(type, v, variable) {
  if (maybe(0.15)) return { variable: variable(type) };
  const bare = isNonNullType(type) ? type.ofType : type;
  if (isListType(bare) && Array.isArray(v)) return v.map((item) => withVariables(bare.ofType, item, variable));
  if (isInputObjectType(bare) && v !== null && typeof v === 'object') {
    return Object.fromEntries(Object.entries(v).map(([name, field]) => [name, withVariables(bare.getFields()[name].type, field, variable)]));
  }
  return v;
}

/** A query with its variables. */
function generate() {
  const made = { definitions: [], variables: {}, fragments: [] };
  const variable = (type) => {
    const name = `v${made.definitions.length}`;
    const given = value(type);
    const hasDefault = maybe(0.2);
    made.definitions.push(`$${name}: ${type}${hasDefault ? ` = ${literal(given)}` : ''}`);
    if (!hasDefault || maybe(0.5)) made.variables[name] = json(given);
    return `$${name}`;
  };
  const argument = (arg) => {
    if (!isNonNullType(arg.type) && maybe(0.05)) return `${arg.name}: null`;
    return `${arg.name}: ${maybe(0.4) ? variable(arg.type) : literal(withVariables(arg.type, value(arg.type), variable))}`;
  };
  const directive = () => (maybe(0.05) ? ` @${pick(['skip', 'include'])}(if: ${maybe(0.5) ? variable(schema.getDirective('skip').args[0].type) : 'true'})` : '');
  const selections = (type, depth) => {
    const items = [];
    if (isUnionType(type) || (isInterfaceType(type) && maybe(0.5))) {
      const object = pick(schema.getPossibleTypes(type));
      items.push(`... on ${object.name} ${selections(object, depth + 1)}`);
    } else {
      const fields = Object.values(type.getFields()).filter((field) => depth < 4 || !isCompositeType(getNamedType(field.type)));
      for (let n = 1 + Math.floor(random() * 3); n > 0 && fields.length > 0; n--) {
        const field = pick(fields);
        const named = getNamedType(field.type);
        const args = field.args.filter((arg) => isRequiredArgument(arg) || maybe(0.25)).map(argument);
        const alias = `a${items.length}${depth}: `;
        items.push(`${alias}${field.name}${args.length ? `(${args.join(', ')})` : ''}${directive()}${isCompositeType(named) ? ` ${selections(named, depth + 1)}` : ''}`);
      }
      if (depth > 0 && maybe(0.1)) {
        const name = `F${made.fragments.length}`;
        made.fragments.push('');
        // Conditions on an interface of the type are possible too. Aliases of the depth keep the fields from conflicting.
        const on = isObjectType(type) && type.getInterfaces().length && maybe(0.3) ? pick(type.getInterfaces()) : type;
        made.fragments[Number(name.slice(1))] = `fragment ${name} on ${on.name}${directive()} ${selections(on, depth + 10)}`;
        items.push(`...${name}${directive()}`);
      }
      if (depth > 0 && maybe(0.1)) items.push(`...${maybe(0.5) ? ` on ${type.name}` : ''}${directive()} ${selections(type, depth + 20)}`);
    }
    if (maybe(0.1) || items.length === 0) items.push('__typename');
    if (type === schema.getQueryType() && maybe(0.05)) items.push(pick(['__type(name: "Site") { name kind fields(includeDeprecated: true) { name } }', '__schema { queryType { name } }']));
    return `{ ${items.join(maybe(0.05) ? ',\n# a comment { "\n' : ' ')} }`;
  };
  const body = selections(schema.getQueryType(), 0);
  const described = maybe(0.05) ? '"A description" ' : '';
  const head = made.definitions.length ? `${described}query Q(${made.definitions.join(', ')})` : maybe(0.5) ? `${described}query Q` : '';
  return { query: [`${head} ${body}`, ...made.fragments].join('\n'), variables: made.variables };
}

const replaceOne = (text, pattern, by) => {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const one = pick(found);
  return text.slice(0, one.index) + by(one[0]) + text.slice(one.index + one[0].length);
};
/** The ways to break a request in one place. */
const breaks = [
  (r) => ({ ...r, query: replaceOne(r.query, /\.\.\.F\d+/g, () => pick(['...F0', '...F9', '...on', '... @skip(if: false)', '...F0 @include(if: $nothing)'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, / on [A-Z]\w+/g, () => ` on ${pick(['Site', 'Node', 'Query', 'ID', 'AnswerEvent', 'UserError', 'AskQuestionInput', 'Nothing', 'Conversation'])}`) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+(?!\d*:)/g, () => pick(['$v0', '$v1', '$nothing', 'null', '""', '{}', '$'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+: [\w![\]]+/g, (text) => `${text} = ${pick(['null', '1', '"x"', 'NAME', '[]', '{}', '$v0', 'true', '1.5'])}`) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+: [\w![\]]+/g, (text) => `${text}, ${text}`) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+: [\w![\]]+/g, (text) => text.replace(/: (.*)/, (_, type) => `: [${type}]`)) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\b\d+\b/g, () => pick(['1e3', '-0', '0.0', '1.', '.5', '0x1', '2147483647', '2147483648', '-2147483649', '1_000', '+1', '1e400'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /"[^"\\]*"/g, () => pick(['"\n"', '"\\q"', '"\\u12"', '"\\u{110000}"', '"\t"', '"""a"b"""', '"unterminated', "'x'", '"\u0007"'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\w+: (?=[$"\d[{A-Z])/g, (text) => pick([`${text}${text}`, `x${text}`, text.replace(':', ''), text.replace(':', '='), `${text}!`])) }),
  (r) => ({ ...r, query: pick(['\uFEFF', '#\n', ',,', '"""d""" ', '\u00A0', 'query ', 'mutation ', '@']) + r.query }),
  (r) => ({ ...r, query: replaceOne(r.query, /[\w}\])]\s/g, (text) => text + pick([',', '# x', '# x\n', '\u0000', '\r', ';', '&', '|', '@include(if: true) ', '@live ', '\\'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\b[a-z]\w+\b/g, (name) => `${name}x`) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\b[A-Z][A-Z_]+\b/g, (name) => `"${name}"`) }),
  (r) => ({ ...r, query: replaceOne(r.query, /"[^"\\]*"/g, () => pick(['1', 'null', 'NAME', '{}', '[]', '"x"', '"\\uD83D\\uDE00"', '"\\uD83D"', '"\\u{41}"', 'true'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\b\d+\b/g, () => pick(['"1"', '1.0', '99999999999', 'null', '01', '-1', '1a', 'true'])) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+: [\w![\]]+/g, (text) => (text.endsWith('!') ? text.slice(0, -1) : `${text}!`)) }),
  (r) => ({ ...r, query: replaceOne(r.query, /\$v\d+: [\w![\]]+/g, (text) => text.replace(/: .*/, `: ${pick(['Int', 'String', '[ID!]', 'Site', 'Nothing', 'Boolean!', 'AddMemberInput'])}`)) }),
  (r) => ({ ...r, query: replaceOne(r.query, /[{}()[\]:$!]|\.\.\./g, () => '') }),
  (r) => ({ ...r, query: replaceOne(r.query, /\b(a\d\d): /g, () => `${pick(['a00', 'a01', 'a11', 'a02'])}: `) }),
  (r) => ({ ...r, query: replaceOne(r.query, /(\w+): ([\w$"]+)(?=[,})])/g, (text) => `${text}, ${text}`) }),
  (r) => ({ ...r, query: replaceOne(r.query, / \{/g, () => pick([' @skip(if: true) {', ' @nothing {', ' @skip {', ' @include(if: "a") {', ' @deprecated {'])) }),
  (r) => ({ ...r, query: `${r.query} ${pick(['query Other { viewer { kind } }', '{ viewer { kind } }', 'fragment Unused on Site { id }', 'query Q { viewer { kind } }', 'type A { b: Int }', 'query Other($x: Int) { viewer { kind } }', '}', 'subscription S { a: conversationEvents { cursor } b: conversationEvents { cursor } }'])}` }),
  (r) => ({ ...r, query: replaceOne(r.query, / \{/g, () => pick([' { ... on Member { id }', ' { ...Nothing', ' { ... on Node { id }', ' { ... { __typename }', ' { {', ' { x: __typename x: __typename', ' { id: __typename'])) }),
  (r) => {
    const names = Object.keys(r.variables);
    if (names.length === 0) return r;
    const wrong = pick([null, 1, 1.5, 'x', true, [], [null], {}, { x: 1 }, 99999999999, '2026-13-45', undefined]);
    return { ...r, variables: { ...r.variables, [pick(names)]: wrong } };
  },
];

/** Returns the first message with which graphql-js refuses a request, or undefined when it accepts the request. */
function expected({ query, variables }) {
  try {
    const document = parse(query);
    const errors = validate(schema, document, specifiedRules);
    if (errors.length > 0) return errors[0].message;
    const operations = document.definitions.filter((definition) => definition.kind === 'OperationDefinition');
    if (operations.length > 1) return 'operationName is required';
    const coerced = getVariableValues(schema, operations[0].variableDefinitions ?? [], JSON.parse(JSON.stringify(variables)));
    return coerced.errors ? coerced.errors[0].message : undefined;
  } catch (error) {
    return error.message;
  }
}

/** The code and message with which the server refuses a request before it executes it. */
async function actual(request) {
  const headers = { ...bearer, 'content-type': 'application/json', accept: 'application/graphql-response+json' };
  const response = await fetch(httpUrl, { method: 'POST', headers, body: JSON.stringify(request) });
  const body = await response.json();
  return 'data' in body ? undefined : { code: body.errors[0].extensions.code, message: body.errors[0].message };
}

console.log(`${count} requests, seed ${seed}`);
let [compared, limited, accepted] = [0, 0, 0];
const differences = [];
for (let n = 0; n < count; n++) {
  const valid = generate();
  const request = maybe(0.6) ? pick(breaks)(valid) : valid;
  const refused = await actual(request);
  // Limits are no part of the specification, and graphql-js has none.
  if (refused && ['COMPLEXITY_LIMIT', 'UNAVAILABLE'].includes(refused.code)) {
    limited += 1;
    continue;
  }
  compared += 1;
  const reason = expected(request);
  if (!refused) accepted += 1;
  if ((refused === undefined) !== (reason === undefined)) differences.push({ request, server: refused?.message ?? 'accepts', graphqlJs: reason ?? 'accepts' });
}
for (const difference of differences.slice(0, 10)) console.log(JSON.stringify(difference, null, 1));
console.log(`${compared} compared, ${accepted} accepted, ${limited} over a limit`);
check('both accept or both refuse each request', differences.length === 0, `${differences.length} differences`);
check('most requests can be compared', compared > count * 0.7, `${compared} of ${count}`);
