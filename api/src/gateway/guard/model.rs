//! What validation and cost need to know about the schema, read once from its definition.
//!
//! async-graphql does not publish its registry, so the gateway reads the schema's own definition text
//! when it starts. Rules that the text does not contain come as [`SchemaRules`].

use std::collections::{HashMap, HashSet};

use async_graphql::Value;
use async_graphql::parser::types::{BaseType, OperationType, Type};

use super::rejection::DocumentRejection;
use super::suggestion;
use super::syntax::Parser;
use super::tokens::Token;
use crate::gateway::direct::DirectRules;

/// The introspection types, which the definition of a schema does not contain (specification, 4.2).
const INTROSPECTION: &str = r"
type __Schema { description: String types: [__Type!]! queryType: __Type! mutationType: __Type
  subscriptionType: __Type directives: [__Directive!]! }
type __Type { kind: __TypeKind! name: String description: String specifiedByURL: String
  fields(includeDeprecated: Boolean! = false): [__Field!] interfaces: [__Type!] possibleTypes: [__Type!]
  enumValues(includeDeprecated: Boolean! = false): [__EnumValue!]
  inputFields(includeDeprecated: Boolean! = false): [__InputValue!] ofType: __Type isOneOf: Boolean }
enum __TypeKind { SCALAR OBJECT INTERFACE UNION ENUM INPUT_OBJECT LIST NON_NULL }
type __Field { name: String! description: String args(includeDeprecated: Boolean! = false): [__InputValue!]!
  type: __Type! isDeprecated: Boolean! deprecationReason: String }
type __InputValue { name: String! description: String type: __Type! defaultValue: String
  isDeprecated: Boolean! deprecationReason: String }
type __EnumValue { name: String! description: String isDeprecated: Boolean! deprecationReason: String }
type __Directive { name: String! description: String isRepeatable: Boolean! locations: [__DirectiveLocation!]!
  args(includeDeprecated: Boolean! = false): [__InputValue!]! }
enum __DirectiveLocation { QUERY MUTATION SUBSCRIPTION FIELD FRAGMENT_DEFINITION FRAGMENT_SPREAD INLINE_FRAGMENT
  VARIABLE_DEFINITION SCHEMA SCALAR OBJECT FIELD_DEFINITION ARGUMENT_DEFINITION INTERFACE UNION ENUM ENUM_VALUE
  INPUT_OBJECT INPUT_FIELD_DEFINITION }
type __Root { __schema: __Schema! __type(name: String!): __Type }
scalar Int scalar Float scalar String scalar Boolean scalar ID
";

/// What the definition of a schema does not say.
#[derive(Debug, Clone, Copy)]
pub struct SchemaRules {
    /// Highest number of items of a list without `first` and `last`, by `Type.field`.
    pub list_bounds: &'static [(&'static str, usize)],
    /// Fields that every visitor of a site may see, as `Type.field`, or `Type` for all fields of a type.
    pub public_fields: &'static [&'static str],
    /// Number of items of any other list, and of a page without `first` and `last`.
    pub page_default: usize,
    /// Highest number of items of a page.
    pub page_max: usize,
    /// Checks a value of a custom scalar, by the scalar's name. Returns what is wrong.
    pub scalar_problem: fn(&str, &Value) -> Option<String>,
    /// What is read without async-graphql.
    pub direct: DirectRules,
}

impl Default for SchemaRules {
    fn default() -> Self {
        Self {
            list_bounds: &[],
            public_fields: &[],
            page_default: 20,
            page_max: 100,
            scalar_problem: |_, _| None,
            direct: DirectRules::NONE,
        }
    }
}

/// The kind of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar,
    Object,
    Interface,
    Union,
    Enum,
    Input,
}

/// A field, an argument or an input field.
#[derive(Debug, Clone)]
pub(super) struct FieldModel {
    pub ty: Type,
    pub has_default: bool,
    pub arguments: HashMap<String, FieldModel>,
}

impl FieldModel {
    /// Whether a value must be given.
    pub fn is_required(&self) -> bool {
        !self.ty.nullable && !self.has_default
    }
}

/// A named type.
#[derive(Debug)]
pub(super) struct TypeModel {
    pub name: String,
    pub kind: Kind,
    /// Fields, or input fields.
    pub fields: HashMap<String, FieldModel>,
    /// Values of an enum, interfaces of an object, or members of a union.
    pub names: HashSet<String>,
}

impl TypeModel {
    pub fn is_composite(&self) -> bool {
        matches!(self.kind, Kind::Object | Kind::Interface | Kind::Union)
    }

    pub fn is_input(&self) -> bool {
        matches!(self.kind, Kind::Scalar | Kind::Enum | Kind::Input)
    }
}

/// A directive.
#[derive(Debug)]
pub(super) struct DirectiveModel {
    pub arguments: HashMap<String, FieldModel>,
    pub is_repeatable: bool,
    pub locations: HashSet<String>,
}

/// The types and directives of a schema.
#[derive(Debug, Default)]
pub struct SchemaModel {
    types: HashMap<String, TypeModel>,
    directives: HashMap<String, DirectiveModel>,
    roots: HashMap<String, String>,
    pub(super) rules: SchemaRules,
    /// Whether error messages may suggest names.
    pub(super) has_suggestions: bool,
}

impl SchemaModel {
    /// The message about a type that does not exist.
    pub(super) fn unknown_type(&self, name: &str) -> String {
        let known = self.types.keys().filter(|known| !known.starts_with("__"));
        format!("Unknown type \"{name}\"{}", suggestion::of(self, name, known))
    }

    /// Reads the definition of a schema.
    ///
    /// # Errors
    /// The error of the parser.
    pub fn new(sdl: &str, rules: SchemaRules, has_suggestions: bool) -> Result<Self, DocumentRejection> {
        let mut model = Self { rules, has_suggestions, ..Self::default() };
        model.read(INTROSPECTION)?;
        let meta = model.types.remove("__Root").map(|root| root.fields).unwrap_or_default();
        model.read(sdl)?;
        let query = model.roots.get("query").cloned().unwrap_or_else(|| "Query".to_owned());
        if let Some(query) = model.types.get_mut(&query) {
            query.fields.extend(meta);
        }
        Ok(model)
    }

    /// What the schema can read without async-graphql.
    pub(crate) fn direct(&self) -> DirectRules {
        self.rules.direct
    }

    pub(super) fn get(&self, name: &str) -> Option<&TypeModel> {
        self.types.get(name)
    }

    pub(super) fn directive(&self, name: &str) -> Option<&DirectiveModel> {
        self.directives.get(name)
    }

    /// The root type of an operation type, if the schema has one.
    pub(super) fn root(&self, ty: OperationType) -> Option<&TypeModel> {
        let (key, default) = match ty {
            OperationType::Query => ("query", "Query"),
            OperationType::Mutation => ("mutation", "Mutation"),
            OperationType::Subscription => ("subscription", "Subscription"),
        };
        self.types.get(self.roots.get(key).map_or(default, String::as_str))
    }

    /// The named type inside lists and non-null types.
    pub(super) fn named(&self, ty: &Type) -> Option<&TypeModel> {
        self.types.get(type_name(ty))
    }

    /// Whether an object can be of both types.
    pub(super) fn overlaps(&self, a: &TypeModel, b: &TypeModel) -> bool {
        let can_be = |object: &TypeModel, ty: &TypeModel| match ty.kind {
            Kind::Union => ty.names.contains(&object.name),
            Kind::Interface => object.names.contains(&ty.name),
            _ => ty.name == object.name,
        };
        let mut objects = self.types.values().filter(|ty| ty.kind == Kind::Object);
        objects.any(|object| can_be(object, a) && can_be(object, b))
    }

    fn read(&mut self, text: &str) -> Result<(), DocumentRejection> {
        let mut parser = Parser::new(text)?;
        while parser.token != Token::End {
            parser.description()?;
            let keyword = parser.name()?.node;
            match keyword.as_str() {
                "schema" => {
                    parser.directives()?;
                    for (operation, root) in parser.many('{', '}', root_type)? {
                        self.roots.insert(operation, root);
                    }
                }
                "directive" => {
                    parser.expect('@')?;
                    let name = parser.name()?.node.to_string();
                    self.directives.insert(name, directive(&mut parser)?);
                }
                keyword => {
                    let ty = named_type(keyword, &mut parser)?;
                    self.types.insert(ty.name.clone(), ty);
                }
            }
        }
        Ok(())
    }
}

/// The name of the type inside lists and non-null types.
pub(super) fn type_name(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(item) => type_name(item),
    }
}

fn root_type(parser: &mut Parser<'_>) -> Result<(String, String), DocumentRejection> {
    let operation = parser.name()?.node.to_string();
    parser.expect(':')?;
    Ok((operation, parser.name()?.node.to_string()))
}

fn directive(parser: &mut Parser<'_>) -> Result<DirectiveModel, DocumentRejection> {
    let arguments = parser.optional('(', ')', field)?.into_iter().collect();
    let is_repeatable = parser.is_name("repeatable");
    if is_repeatable {
        parser.advance()?;
    }
    // The word `on`.
    parser.advance()?;
    Ok(DirectiveModel { arguments, is_repeatable, locations: separated(parser, '|')? })
}

fn named_type(keyword: &str, parser: &mut Parser<'_>) -> Result<TypeModel, DocumentRejection> {
    let kind = match keyword {
        "scalar" => Kind::Scalar,
        "type" => Kind::Object,
        "interface" => Kind::Interface,
        "union" => Kind::Union,
        "enum" => Kind::Enum,
        "input" => Kind::Input,
        _ => return Err(parser.unexpected("a type definition")),
    };
    let name = parser.name()?.node.to_string();
    let mut names = HashSet::new();
    if parser.is_name("implements") {
        parser.advance()?;
        names = separated(parser, '&')?;
    }
    parser.directives()?;
    if kind == Kind::Union {
        parser.expect('=')?;
        names = separated(parser, '|')?;
    }
    let mut fields = HashMap::new();
    match kind {
        Kind::Enum => names = parser.many('{', '}', enum_value)?.into_iter().collect(),
        Kind::Object | Kind::Interface | Kind::Input => fields = parser.many('{', '}', field)?.into_iter().collect(),
        Kind::Scalar | Kind::Union => {}
    }
    Ok(TypeModel { name, kind, fields, names })
}

fn separated(parser: &mut Parser<'_>, mark: char) -> Result<HashSet<String>, DocumentRejection> {
    parser.skip(mark)?;
    let mut names = HashSet::from([parser.name()?.node.to_string()]);
    while parser.skip(mark)? {
        names.insert(parser.name()?.node.to_string());
    }
    Ok(names)
}

fn enum_value(parser: &mut Parser<'_>) -> Result<String, DocumentRejection> {
    parser.description()?;
    let name = parser.name()?.node.to_string();
    parser.directives()?;
    Ok(name)
}

fn field(parser: &mut Parser<'_>) -> Result<(String, FieldModel), DocumentRejection> {
    parser.description()?;
    let name = parser.name()?.node.to_string();
    let arguments = parser.optional('(', ')', field)?.into_iter().collect();
    parser.expect(':')?;
    let ty = parser.type_reference()?;
    let has_default = parser.skip('=')?;
    if has_default {
        parser.constant()?;
    }
    parser.directives()?;
    Ok((name, FieldModel { ty, has_default, arguments }))
}
