//! The derive macro `OutputObject`: an object of the schema whose fields are the fields of a struct.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Lit, LitStr, Meta, Result};

/// What `#[graphql(…)]` says of a struct or of a field.
#[derive(Default)]
struct Options {
    /// The field is not part of the schema.
    is_skipped: bool,
    /// More fields are in an `impl` block with the attribute `ComplexObject`.
    is_complex: bool,
    /// The name in the schema, in place of the one in Rust.
    name: Option<String>,
}

/// Implements the traits of async-graphql and `Values` of `api` for a struct.
pub fn expand(input: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "an output object is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new_spanned(&input.ident, "the fields of an output object have names"));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "an output object is not generic"));
    }
    let options = Options::of(&input.attrs)?;
    let kind = &input.ident;
    let name = options.name.unwrap_or_else(|| kind.to_string());
    let description = description(&input.attrs);
    let (mut descriptions, mut arms) = (Vec::new(), Vec::new());
    for field in &fields.named {
        if let Some((described, arm)) = expand_field(field)? {
            descriptions.push(described);
            arms.push(arm);
        }
    }
    let container = container(options.is_complex);
    let more_fields = if options.is_complex {
        quote!(<Self as ::async_graphql::ComplexObject>::fields)
    } else {
        quote!(|_| ::std::vec::Vec::new())
    };
    Ok(quote! {
        impl crate::schema::output_object::Values for #kind {
            fn value(&self, name: &str) -> ::std::option::Option<&dyn crate::schema::output_object::AnyOutput> {
                match name {
                    #(#arms)*
                    _ => ::std::option::Option::None,
                }
            }
        }

        impl ::async_graphql::ContainerType for #kind {
            #container
        }

        impl ::async_graphql::OutputType for #kind {
            fn type_name() -> ::std::borrow::Cow<'static, str> {
                ::std::borrow::Cow::Borrowed(#name)
            }

            fn create_type_info(registry: &mut ::async_graphql::registry::Registry) -> ::std::string::String {
                use crate::schema::output_object::{FieldType, ObjectInfo};
                const FIELDS: &[FieldType] = &[#(#descriptions),*];
                let info = ObjectInfo {
                    name: #name,
                    description: #description,
                    rust_name: ::std::any::type_name::<Self>(),
                    fields: FIELDS,
                    more_fields: #more_fields,
                };
                registry.create_output_type::<Self, _>(::async_graphql::registry::MetaTypeId::Object, |registry| {
                    info.registered(registry)
                })
            }

            fn resolve(
                &self,
                ctx: &::async_graphql::ContextSelectionSet<'_>,
                _: &::async_graphql::Positioned<::async_graphql::parser::types::Field>,
            ) -> impl ::std::future::Future<Output = ::async_graphql::ServerResult<::async_graphql::Value>> + Send {
                crate::schema::output_object::resolve_object(self, ctx)
            }
        }

        impl ::async_graphql::ObjectType for #kind {}
    })
}

/// The method that resolves a field by its name. Fields of a complex object that are not in the struct have resolvers.
fn container(is_complex: bool) -> TokenStream {
    let own = quote!(crate::schema::output_object::resolve_field(self, ctx));
    if is_complex {
        quote! {
            async fn resolve_field(
                &self,
                ctx: &::async_graphql::Context<'_>,
            ) -> ::async_graphql::ServerResult<::std::option::Option<::async_graphql::Value>> {
                match #own.await? {
                    ::std::option::Option::None => <Self as ::async_graphql::ComplexObject>::resolve_field(self, ctx).await,
                    found => ::std::result::Result::Ok(found),
                }
            }
        }
    } else {
        quote! {
            fn resolve_field(
                &self,
                ctx: &::async_graphql::Context<'_>,
            ) -> impl ::std::future::Future<
                Output = ::async_graphql::ServerResult<::std::option::Option<::async_graphql::Value>>,
            > + Send {
                #own
            }
        }
    }
}

/// The description of a field, and the arm that finds its value. `None` for a field that is skipped.
fn expand_field(field: &Field) -> Result<Option<(TokenStream, TokenStream)>> {
    let options = Options::of(&field.attrs)?;
    let Some(ident) = field.ident.as_ref().filter(|_| !options.is_skipped) else { return Ok(None) };
    let name = options.name.unwrap_or_else(|| camel_case(&ident.unraw().to_string()));
    let description = description(&field.attrs);
    let kind = &field.ty;
    let described = quote! {
        FieldType {
            name: #name,
            description: #description,
            create_type_info: <#kind as ::async_graphql::OutputType>::create_type_info,
        }
    };
    let arm = quote!(#name => ::std::option::Option::Some(&self.#ident),);
    Ok(Some((described, arm)))
}

impl Options {
    fn of(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Options::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("graphql")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("skip") {
                    options.is_skipped = true;
                } else if meta.path.is_ident("complex") {
                    options.is_complex = true;
                } else if meta.path.is_ident("name") {
                    options.name = Some(meta.value()?.parse::<LitStr>()?.value());
                } else {
                    return Err(meta.error("an output object knows `skip`, `complex` and `name`"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

/// The documentation comment as one text, with its lines as they are.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc")).filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else { return None };
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
        Some(text.value().trim().to_owned())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// `created_at` becomes `createdAt`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        camel.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        camel.push_str(letters.as_str());
    }
    camel
}
