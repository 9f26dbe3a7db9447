//! The attribute `paged`, which gives the list fields of the schema the four arguments of a connection.
//!
//! `api` uses it above `#[Object]`. async-graphql has no way to share arguments between fields, and a
//! declarative macro cannot stand inside an `#[Object]` block, so this is a procedural macro, in the crate of
//! its own that procedural macros need. It must contain nothing that the product executes.

use proc_macro::TokenStream;
use quote::quote;
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl, Type, parse_macro_input, parse_quote};

/// Replaces the parameter of the type `PageArgs` of each method with the arguments `first`, `after`, `last`
/// and `before`, and makes the parameter a variable that contains them.
///
/// The arguments and their descriptions are the same for every list of the schema. `PageArgs::request` checks
/// their values.
#[proc_macro_attribute]
pub fn paged(_: TokenStream, block: TokenStream) -> TokenStream {
    let mut block = parse_macro_input!(block as ItemImpl);
    for item in &mut block.items {
        if let ImplItem::Fn(method) = item {
            expand(method);
        }
    }
    quote!(#block).into()
}

/// Expands the parameter in one method. A method without it stays as it is.
fn expand(method: &mut ImplItemFn) {
    let found = method.sig.inputs.iter().enumerate().find_map(|(at, argument)| match argument {
        FnArg::Typed(argument) if is_page_args(&argument.ty) => Some((at, argument.clone())),
        _ => None,
    });
    let Some((at, parameter)) = found else { return };
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
    let before = method.sig.inputs.iter().take(at).cloned();
    let after = method.sig.inputs.iter().skip(at + 1).cloned();
    method.sig.inputs = before.chain(arguments).chain(after).collect();
    let (variable, kind) = (&parameter.pat, &parameter.ty);
    method.block.stmts.insert(0, parse_quote!(let #variable = #kind { first, after, last, before };));
}

fn is_page_args(kind: &Type) -> bool {
    matches!(kind, Type::Path(kind) if kind.path.segments.last().is_some_and(|last| last.ident == "PageArgs"))
}
