//! `#[action]`: beside the function, a type of the same name that carries what the component must know about it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Expr, FnArg, ItemFn, Lit, LitStr, Meta, Result, ReturnType, Type};

pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    check(&function)?;
    let ident = &function.sig.ident;
    let visibility = &function.vis;
    let name = match name_argument(arguments)? {
        Some(name) => name,
        None => LitStr::new(&ident.to_string(), ident.span()),
    };
    let description = doc_comment(&function.attrs);
    let input = input_type(&function)?;
    // The bounds on the types are checked where the types are written, so that a missing derive is reported there.
    let span = input.map_or_else(|| ident.span(), Spanned::span);
    let (run, describe) = match input {
        Some(input) => (
            quote_spanned!(span=> ::runner_sdk::action::run::<#input, _>(#ident, input)),
            quote_spanned!(span=> ::runner_sdk::action::describe::<#input, _>(#ident, Self::DESCRIPTION)),
        ),
        None => (
            quote_spanned!(span=> ::runner_sdk::action::run_without_input(#ident, input)),
            quote_spanned!(span=> ::runner_sdk::action::describe_without_input(#ident, Self::DESCRIPTION)),
        ),
    };
    Ok(quote! {
        #[allow(clippy::needless_pass_by_value, reason = "an action owns its input")]
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, reason = "a function's name and its action's type are the same word")]
        #visibility enum #ident {}

        impl ::runner_sdk::Action for #ident {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;

            fn run(input: &str) -> ::runner_sdk::Result<::std::string::String> {
                #run
            }

            fn describe() -> ::runner_sdk::serde_json::Value {
                #describe
            }
        }
    })
}

fn check(function: &ItemFn) -> Result<()> {
    let signature = &function.sig;
    if let Some(asyncness) = signature.asyncness {
        return Err(Error::new(asyncness.span(), "an action is not async: its requests wait in the host"));
    }
    if !signature.generics.params.is_empty() {
        return Err(Error::new(signature.generics.span(), "an action has no generic parameters"));
    }
    if matches!(signature.output, ReturnType::Default) {
        return Err(Error::new(
            signature.span(),
            "an action returns `Result<Output>`; without an output, `Result<()>`",
        ));
    }
    Ok(())
}

/// The type of the one parameter, if there is one.
fn input_type(function: &ItemFn) -> Result<Option<&Type>> {
    let mut parameters = function.sig.inputs.iter();
    let first = parameters.next();
    if let Some(second) = parameters.next() {
        return Err(Error::new(second.span(), "an action takes one input: put its parameters into one struct"));
    }
    match first {
        None => Ok(None),
        Some(FnArg::Typed(parameter)) => Ok(Some(&parameter.ty)),
        Some(FnArg::Receiver(receiver)) => Err(Error::new(receiver.span(), "an action is a free function")),
    }
}

/// `name = "…"`, for an action that is not named as its function.
fn name_argument(arguments: TokenStream) -> Result<Option<LitStr>> {
    if arguments.is_empty() {
        return Ok(None);
    }
    if let Meta::NameValue(pair) = syn::parse2::<Meta>(arguments.clone())?
        && pair.path.is_ident("name")
        && let Expr::Lit(literal) = &pair.value
        && let Lit::Str(name) = &literal.lit
    {
        return Ok(Some(name.clone()));
    }
    Err(Error::new(arguments.into_token_stream().span(), "the only argument is `name = \"…\"`"))
}

/// The text of the doc comment: lines of a paragraph joined, paragraphs apart.
fn doc_comment(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attribute.meta else { continue };
        let Expr::Lit(literal) = &pair.value else { continue };
        let Lit::Str(line) = &literal.lit else { continue };
        // `split` and not `lines`: an empty line of the comment is an empty text here.
        for line in line.value().split('\n').map(str::trim) {
            if line.is_empty() {
                text.push_str("\n\n");
                continue;
            }
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(line);
        }
    }
    text.trim().to_owned()
}
