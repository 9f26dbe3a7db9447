//! Procedural macros of `api`, in the crate of their own that procedural macros need: the attribute `paged`, which gives
//! the list fields of the schema the four arguments of a connection, the attribute `followed`, which gives subscriptions
//! to the event log their arguments, and the derive macro `OutputObject`.
//!
//! `api` uses the attributes above `#[Object]` and `#[Subscription]`. async-graphql has no way to share arguments
//! between fields, and a declarative macro cannot stand inside such a block. This crate must contain nothing that the
//! product executes.

mod output_object;

use proc_macro::TokenStream;
use quote::quote;
use syn::{DeriveInput, FnArg, ImplItem, ImplItemFn, ItemImpl, Type, parse_macro_input, parse_quote};

/// Replaces the parameter of the type `PageArgs` of each method with the arguments `first`, `after`, `last`
/// and `before`, and makes the parameter a variable that contains them.
///
/// The arguments and their descriptions are the same for every list of the schema. `PageArgs::request` checks
/// their values.
#[proc_macro_attribute]
pub fn paged(_: TokenStream, block: TokenStream) -> TokenStream {
    let arguments: [FnArg; 4] = [
        parse_quote! {
            #[graphql(desc = "Number of items to return from the start of the list, 1 to 100. Defaults to 20. It cannot be combined with `last`.")]
            first: Option<i32>
        },
        parse_quote! {
            #[graphql(desc = "Cursor of an item. Only the items after it are returned. By default the list is read from its start.")]
            after: Option<String>
        },
        parse_quote! {
            #[graphql(desc = "Number of items to return from the end of the list, 1 to 100. By default the items are read from the start.")]
            last: Option<i32>
        },
        parse_quote! {
            #[graphql(desc = "Cursor of an item. Only the items before it are returned. By default the list is read up to its end.")]
            before: Option<String>
        },
    ];
    expanded(parse_macro_input!(block as ItemImpl), "PageArgs", &arguments)
}

/// Replaces the parameter of the type `FollowArgs` of each method with the arguments `siteId` and `after`, and makes
/// the parameter a variable that contains them. They are the same for every subscription to the event log of a site.
#[proc_macro_attribute]
pub fn followed(_: TokenStream, block: TokenStream) -> TokenStream {
    let arguments: [FnArg; 2] = [
        parse_quote! {
            #[graphql(desc = "ID of the site. Defaults to the site that the API key belongs to. An operator key requires it.")]
            site_id: Option<ID>
        },
        parse_quote! {
            #[graphql(desc = "Cursor of an event. The subscription starts after it. By default it starts with the next event.")]
            after: Option<String>
        },
    ];
    expanded(parse_macro_input!(block as ItemImpl), "FollowArgs", &arguments)
}

/// Makes a struct an object of the schema, as async-graphql's `SimpleObject` does. The fields have the names and the
/// descriptions of the struct's fields.
///
/// `#[graphql(skip)]` leaves a field out, `#[graphql(name = "…")]` renames the object or a field, and
/// `#[graphql(complex)]` adds the fields of an `impl` block with the attribute `ComplexObject`.
#[proc_macro_derive(OutputObject, attributes(graphql))]
pub fn output_object(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    output_object::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// The block with the parameter of the type `name` replaced by `arguments` in each method. A method without it stays as
/// it is.
fn expanded(mut block: ItemImpl, name: &str, arguments: &[FnArg]) -> TokenStream {
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            expand(method, name, arguments);
        }
    }
    quote!(#block).into()
}

fn expand(method: &mut ImplItemFn, name: &str, arguments: &[FnArg]) {
    let found = method.sig.inputs.iter().enumerate().find_map(|(at, argument)| match argument {
        FnArg::Typed(argument) if is_named(&argument.ty, name) => Some((at, argument.clone())),
        _ => None,
    });
    let Some((at, parameter)) = found else { return };
    let names = arguments.iter().filter_map(|argument| match argument {
        FnArg::Typed(argument) => Some(&argument.pat),
        FnArg::Receiver(_) => None,
    });
    let (variable, kind) = (&parameter.pat, &parameter.ty);
    method.block.stmts.insert(0, parse_quote!(let #variable = #kind { #(#names),* };));
    let before = method.sig.inputs.iter().take(at).cloned();
    let after = method.sig.inputs.iter().skip(at + 1).cloned();
    method.sig.inputs = before.chain(arguments.iter().cloned()).chain(after).collect();
}

fn is_named(kind: &Type, name: &str) -> bool {
    matches!(kind, Type::Path(kind) if kind.path.segments.last().is_some_and(|last| last.ident == name))
}
