//! Objects of the schema whose fields are the fields of a struct.
//!
//! async-graphql's `SimpleObject` generates a getter, a resolver with two futures and the registration of every field,
//! for every type. With `#[derive(OutputObject)]` a type contributes only a table of its fields and a function that finds a
//! value by its name. The code that uses them exists once, here (docs/decisions/0054).

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, MetaField, MetaType, Registry};
use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value, resolver_utils};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

/// A value of any output type.
pub(crate) trait AnyOutput: Send + Sync {
    /// The value for a selection, as [`OutputType::resolve`] returns it.
    fn resolve_boxed<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>>;
}

impl<T: OutputType> AnyOutput for T {
    fn resolve_boxed<'a>(
        &'a self,
        ctx: &'a ContextSelectionSet<'a>,
        field: &'a Positioned<Field>,
    ) -> BoxFuture<'a, ServerResult<Value>> {
        self.resolve(ctx, field).boxed()
    }
}

/// The values of an object by the names of its fields.
pub(crate) trait Values: Send + Sync {
    /// The value of the field `name`. `None` when the struct has no such field.
    fn value(&self, name: &str) -> Option<&dyn AnyOutput>;
}

/// Name, description and type of one field, for the schema.
pub(crate) struct FieldType {
    /// Name in the schema.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Adds the type of the field to the registry and returns its name.
    pub create_type_info: fn(&mut Registry) -> String,
}

/// What the schema says of an object.
pub(crate) struct ObjectInfo {
    /// Name in the schema.
    pub name: &'static str,
    /// Description in the schema.
    pub description: &'static str,
    /// Name of the Rust type. async-graphql reports it when two types have the same name in the schema.
    pub rust_name: &'static str,
    /// The fields of the struct, in the order of the schema.
    pub fields: &'static [FieldType],
    /// The fields that have resolvers. They follow the others.
    pub more_fields: fn(&mut Registry) -> Vec<(String, MetaField)>,
}

impl ObjectInfo {
    /// The object as the registry keeps it.
    pub(crate) fn registered(&self, registry: &mut Registry) -> MetaType {
        let mut fields = IndexMap::new();
        for field in self.fields {
            let kind = (field.create_type_info)(registry);
            fields.insert(field.name.to_owned(), meta_field(field, kind));
        }
        fields.extend((self.more_fields)(registry));
        MetaType::Object {
            name: self.name.to_owned(),
            description: Some(self.description.to_owned()).filter(|text| !text.is_empty()),
            fields,
            cache_control: async_graphql::CacheControl::default(),
            extends: false,
            shareable: false,
            resolvable: true,
            inaccessible: false,
            interface_object: false,
            tags: Vec::new(),
            keys: None,
            visible: None,
            is_subscription: false,
            rust_typename: Some(self.rust_name),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    }
}

fn meta_field(field: &FieldType, kind: String) -> MetaField {
    MetaField {
        name: field.name.to_owned(),
        description: Some(field.description.to_owned()).filter(|text| !text.is_empty()),
        args: IndexMap::new(),
        ty: kind,
        deprecation: Deprecation::NoDeprecated,
        cache_control: async_graphql::CacheControl::default(),
        external: false,
        requires: None,
        provides: None,
        visible: None,
        shareable: false,
        inaccessible: false,
        tags: Vec::new(),
        override_from: None,
        compute_complexity: None,
        directive_invocations: Vec::new(),
        requires_scopes: Vec::new(),
    }
}

/// The value of the selected field. `None` when the struct has no such field.
pub(crate) async fn resolve_field(object: &dyn Values, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
    let Some(value) = object.value(ctx.item.node.name.node.as_str()) else { return Ok(None) };
    let selection = ctx.with_selection_set(&ctx.item.node.selection_set);
    value.resolve_boxed(&selection, ctx.item).await.map(Some)
}

/// All selected fields of an object.
pub(crate) async fn resolve_object<T: async_graphql::ContainerType>(
    object: &T,
    ctx: &ContextSelectionSet<'_>,
) -> ServerResult<Value> {
    resolver_utils::resolve_container(ctx, object).await
}
