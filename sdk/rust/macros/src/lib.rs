//! The macros of `runner-sdk`. Use them through that crate, which documents them with examples.

mod action;
mod path;

use proc_macro::TokenStream;

/// Makes an action of a function. See `runner_sdk::action`.
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    action::expand(arguments.into(), item.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}

/// Makes a path of which each inserted value stays one segment. See `runner_sdk::path`.
#[proc_macro]
pub fn path(input: TokenStream) -> TokenStream {
    path::expand(input.into()).unwrap_or_else(syn::Error::into_compile_error).into()
}
