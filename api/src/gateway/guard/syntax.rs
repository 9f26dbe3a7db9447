//! Parses an executable document into the types of async-graphql, exactly as the specification
//! (September 2025) defines the syntax.
//!
//! The parser of async-graphql does not know descriptions of operations and surrogate pairs in
//! strings, and it loses what it reads twice: input fields, fragments and operations of the same name.
//! This parser refuses such documents. The caller has bounded the nesting of the text, so recursion is
//! bounded too.

use std::collections::HashMap;

use async_graphql::parser::types::{
    BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition, FragmentSpread,
    InlineFragment, OperationDefinition, OperationType, Selection, SelectionSet, Type, TypeCondition,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned, Value as ConstValue};
use async_graphql_value::Value;

use super::rejection::DocumentRejection;
use super::tokens::{Token, Tokens};

type Parsed<T> = Result<T, DocumentRejection>;

/// Parses a document.
///
/// # Errors
/// `Syntax` for the first error; `Invalid` when two operations or fragments have the same name.
pub(super) fn parse(text: &str) -> Parsed<ExecutableDocument> {
    let mut parser = Parser::new(text)?;
    let mut fragments = HashMap::new();
    let mut named = HashMap::new();
    let mut anonymous = Vec::new();
    while parser.token != Token::End {
        let pos = parser.pos;
        let is_described = parser.description()?;
        if parser.is_name("fragment") {
            let (name, fragment) = parser.fragment()?;
            let name = (name.node, name.pos);
            if fragments.insert(name.0.clone(), Positioned::new(fragment, pos)).is_some() {
                let message = format!("There can be only one fragment named \"{}\"", name.0);
                return Err(DocumentRejection::invalid(message, name.1));
            }
            continue;
        }
        if is_described && parser.token == Token::Mark('{') {
            return Err(parser.unexpected("query, mutation, subscription or fragment"));
        }
        let (name, operation) = parser.operation()?;
        let operation = Positioned::new(operation, pos);
        match name {
            None => anonymous.push(operation),
            Some(name) => {
                if named.insert(name.node.clone(), operation).is_some() {
                    let message = format!("There can be only one operation named \"{}\"", name.node);
                    return Err(DocumentRejection::invalid(message, name.pos));
                }
            }
        }
    }
    let operations = match (anonymous.pop(), anonymous.is_empty() && named.is_empty()) {
        (Some(only), true) => DocumentOperations::Single(only),
        (Some(one), false) => {
            return Err(DocumentRejection::invalid("An anonymous operation must be the only operation", one.pos));
        }
        (None, true) => return Err(DocumentRejection::syntax("The document contains no operation", parser.pos)),
        (None, false) => DocumentOperations::Multiple(named),
    };
    Ok(ExecutableDocument { operations, fragments })
}

/// A parser that looks one token ahead.
pub(super) struct Parser<'a> {
    tokens: Tokens<'a>,
    pub(super) token: Token<'a>,
    pub(super) pos: Pos,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Parsed<Self> {
        let mut tokens = Tokens::new(text);
        let (token, pos) = tokens.next()?;
        Ok(Self { tokens, token, pos })
    }

    /// Goes to the next token and returns the current token.
    pub(super) fn advance(&mut self) -> Parsed<(Token<'a>, Pos)> {
        let (token, pos) = self.tokens.next()?;
        Ok((std::mem::replace(&mut self.token, token), std::mem::replace(&mut self.pos, pos)))
    }

    pub(super) fn unexpected(&self, expected: &str) -> DocumentRejection {
        let message = format!("Expected {expected}, found {}", self.token.describe());
        DocumentRejection::syntax(message, self.pos)
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.token == Token::Name(name)
    }

    /// Skips `mark` if it is the next token, and returns whether it was.
    pub(super) fn skip(&mut self, mark: char) -> Parsed<bool> {
        let is_next = self.token == Token::Mark(mark);
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    pub(super) fn expect(&mut self, mark: char) -> Parsed<()> {
        if self.skip(mark)? { Ok(()) } else { Err(self.unexpected(&format!("\"{mark}\""))) }
    }

    /// Skips a description, and returns whether there was one.
    pub(super) fn description(&mut self) -> Parsed<bool> {
        let is_next = matches!(self.token, Token::Text(_));
        if is_next {
            self.advance()?;
        }
        Ok(is_next)
    }

    pub(super) fn name(&mut self) -> Parsed<Positioned<Name>> {
        let Token::Name(name) = self.token else { return Err(self.unexpected("a name")) };
        let (_, pos) = self.advance()?;
        Ok(Positioned::new(Name::new(name), pos))
    }

    /// One or more items between `open` and `close`.
    pub(super) fn many<T>(&mut self, open: char, close: char, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect(open)?;
        let mut items = vec![item(self)?];
        while !self.skip(close)? {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// The items between `open` and `close`, or none when `open` does not follow.
    pub(super) fn optional<T>(&mut self, open: char, close: char, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        if self.token == Token::Mark(open) { self.many(open, close, item) } else { Ok(Vec::new()) }
    }

    fn operation(&mut self) -> Parsed<(Option<Positioned<Name>>, OperationDefinition)> {
        let ty = match self.token {
            Token::Mark('{') => {
                let selection_set = self.selection_set()?;
                let (variable_definitions, directives) = (Vec::new(), Vec::new());
                let ty = OperationType::Query;
                return Ok((None, OperationDefinition { ty, variable_definitions, directives, selection_set }));
            }
            Token::Name("query") => OperationType::Query,
            Token::Name("mutation") => OperationType::Mutation,
            Token::Name("subscription") => OperationType::Subscription,
            _ => return Err(self.unexpected("an operation or a fragment")),
        };
        self.advance()?;
        let name = if matches!(self.token, Token::Name(_)) { Some(self.name()?) } else { None };
        let variable_definitions = self.optional('(', ')', Self::variable_definition)?;
        let directives = self.directives()?;
        let selection_set = self.selection_set()?;
        Ok((name, OperationDefinition { ty, variable_definitions, directives, selection_set }))
    }

    fn fragment(&mut self) -> Parsed<(Positioned<Name>, FragmentDefinition)> {
        self.advance()?;
        if self.is_name("on") {
            return Err(self.unexpected("the name of a fragment"));
        }
        let name = self.name()?;
        if !self.is_name("on") {
            return Err(self.unexpected("\"on\""));
        }
        let type_condition = self.type_condition()?;
        let (directives, selection_set) = (self.directives()?, self.selection_set()?);
        Ok((name, FragmentDefinition { type_condition, directives, selection_set }))
    }

    fn type_condition(&mut self) -> Parsed<Positioned<TypeCondition>> {
        let (_, pos) = self.advance()?;
        Ok(Positioned::new(TypeCondition { on: self.name()? }, pos))
    }

    fn variable_definition(&mut self) -> Parsed<Positioned<VariableDefinition>> {
        self.description()?;
        let pos = self.pos;
        self.expect('$')?;
        let name = self.name()?;
        self.expect(':')?;
        let type_pos = self.pos;
        let var_type = Positioned::new(self.type_reference()?, type_pos);
        let default_value = if self.skip('=')? { Some(self.constant()?) } else { None };
        let directives = self.directives()?;
        for (_, value) in directives.iter().flat_map(|directive: &Positioned<Directive>| &directive.node.arguments) {
            if value.node.clone().into_const().is_none() {
                return Err(DocumentRejection::syntax("A variable is not allowed in a constant value", value.pos));
            }
        }
        Ok(Positioned::new(VariableDefinition { name, var_type, directives, default_value }, pos))
    }

    pub(super) fn type_reference(&mut self) -> Parsed<Type> {
        let base = if self.skip('[')? {
            let item = self.type_reference()?;
            self.expect(']')?;
            BaseType::List(Box::new(item))
        } else {
            BaseType::Named(self.name()?.node)
        };
        Ok(Type { base, nullable: !self.skip('!')? })
    }

    pub(super) fn directives(&mut self) -> Parsed<Vec<Positioned<Directive>>> {
        let mut directives = Vec::new();
        while self.token == Token::Mark('@') {
            let (_, pos) = self.advance()?;
            let directive = Directive { name: self.name()?, arguments: self.optional('(', ')', Self::argument)? };
            directives.push(Positioned::new(directive, pos));
        }
        Ok(directives)
    }

    fn argument(&mut self) -> Parsed<(Positioned<Name>, Positioned<Value>)> {
        let name = self.name()?;
        self.expect(':')?;
        Ok((name, self.value()?))
    }

    fn selection_set(&mut self) -> Parsed<Positioned<SelectionSet>> {
        let pos = self.pos;
        let items = self.many('{', '}', Self::selection)?;
        Ok(Positioned::new(SelectionSet { items }, pos))
    }

    fn selection(&mut self) -> Parsed<Positioned<Selection>> {
        let pos = self.pos;
        let selection = if self.token == Token::Spread {
            self.advance()?;
            self.spread(pos)?
        } else {
            Selection::Field(Positioned::new(self.field()?, pos))
        };
        Ok(Positioned::new(selection, pos))
    }

    fn spread(&mut self, pos: Pos) -> Parsed<Selection> {
        if matches!(self.token, Token::Name(name) if name != "on") {
            let spread = FragmentSpread { fragment_name: self.name()?, directives: self.directives()? };
            return Ok(Selection::FragmentSpread(Positioned::new(spread, pos)));
        }
        let type_condition = if self.is_name("on") { Some(self.type_condition()?) } else { None };
        let (directives, selection_set) = (self.directives()?, self.selection_set()?);
        let fragment = InlineFragment { type_condition, directives, selection_set };
        Ok(Selection::InlineFragment(Positioned::new(fragment, pos)))
    }

    fn field(&mut self) -> Parsed<Field> {
        let first = self.name()?;
        let (alias, name) = if self.skip(':')? { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.optional('(', ')', Self::argument)?;
        let directives = self.directives()?;
        let selection_set = match self.token {
            Token::Mark('{') => self.selection_set()?,
            _ => Positioned::new(SelectionSet::default(), self.pos),
        };
        Ok(Field { alias, name, arguments, directives, selection_set })
    }

    /// A value without variables.
    pub(super) fn constant(&mut self) -> Parsed<Positioned<ConstValue>> {
        let value = self.value()?;
        match value.node.into_const() {
            Some(constant) => Ok(Positioned::new(constant, value.pos)),
            None => Err(DocumentRejection::syntax("A variable is not allowed in a constant value", value.pos)),
        }
    }

    fn value(&mut self) -> Parsed<Positioned<Value>> {
        let invalid = "Invalid number";
        let (token, pos) = match self.token {
            Token::Mark('[' | '{' | '$') | Token::Name(_) | Token::Int(_) | Token::Float(_) | Token::Text(_) => {
                self.advance()?
            }
            _ => return Err(self.unexpected("a value")),
        };
        let value = match token {
            Token::Mark('$') => Value::Variable(self.name()?.node),
            Token::Mark('[') => {
                let mut items = Vec::new();
                while !self.skip(']')? {
                    items.push(self.value()?.node);
                }
                Value::List(items)
            }
            Token::Mark(_) => self.object()?,
            Token::Name("true") => Value::Boolean(true),
            Token::Name("false") => Value::Boolean(false),
            Token::Name("null") => Value::Null,
            Token::Name(name) => Value::Enum(Name::new(name)),
            // The library parses it as a float, which no integer type accepts.
            Token::Int("-0") => Value::Number(0.into()),
            Token::Int(text) => Value::Number(text.parse().map_err(|_| DocumentRejection::syntax(invalid, pos))?),
            Token::Float(text) => {
                let number = text.parse().ok().and_then(serde_json::Number::from_f64);
                Value::Number(number.ok_or_else(|| DocumentRejection::syntax(invalid, pos))?)
            }
            Token::Text(text) => Value::String(text),
            Token::Spread | Token::End => return Err(self.unexpected("a value")),
        };
        Ok(Positioned::new(value, pos))
    }

    /// The fields of an input object, after its opening brace.
    fn object(&mut self) -> Parsed<Value> {
        let mut fields: Vec<(Name, Value)> = Vec::new();
        while !self.skip('}')? {
            let (name, value) = self.argument()?;
            if fields.iter().any(|(known, _)| *known == name.node) {
                let message = format!("There can be only one input field named \"{}\"", name.node);
                return Err(DocumentRejection::invalid(message, name.pos));
            }
            fields.push((name.node, value.node));
        }
        Ok(Value::Object(fields.into_iter().collect()))
    }
}
