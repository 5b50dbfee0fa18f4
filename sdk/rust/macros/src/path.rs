//! `path!`: checks a path's text when it is compiled and hands the inserted values over one by one, so that the library
//! can encode each.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, LitStr, Result, Token};

struct Input {
    text: LitStr,
    values: Punctuated<Expr, Token![,]>,
}

impl Parse for Input {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let text = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Self { text, values: Punctuated::parse_terminated(input)? })
    }
}

pub(crate) fn expand(input: TokenStream) -> Result<TokenStream> {
    let Input { text, values } = syn::parse2(input)?;
    let mut given = values.into_iter();
    let (fixed, inserted) = split(&text, &mut given)?;
    if let Some(extra) = given.next() {
        return Err(Error::new_spanned(extra, "there is no `{}` for this value"));
    }
    Ok(quote! {
        ::runner_sdk::http::Path::from_parts(&[#(#fixed),*], &[#(&(#inserted) as &dyn ::core::fmt::Display),*])
    })
}

/// The fixed texts and the values between them: one text more than there are values.
fn split(text: &LitStr, given: &mut impl Iterator<Item = Expr>) -> Result<(Vec<String>, Vec<Expr>)> {
    let whole = text.value();
    let wrong = |message: String| Err(Error::new(text.span(), message));
    if !whole.starts_with('/') {
        return wrong("a path begins with `/`".to_owned());
    }
    let (mut fixed, mut inserted) = (Vec::new(), Vec::new());
    let mut rest = whole.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let Some((inside, after)) = after.split_once('}') else {
            return wrong("`{` without `}`".to_owned());
        };
        fixed.push(before.to_owned());
        inserted.push(match inside.trim() {
            "" => match given.next() {
                Some(value) => value,
                None => return wrong(format!("the `{{}}` number {} has no value", inserted.len() + 1)),
            },
            expression => LitStr::new(expression, text.span()).parse()?,
        });
        rest = after;
    }
    fixed.push(rest.to_owned());
    for part in &fixed {
        if let Some(character) = part.chars().find(|c| matches!(c, '?' | '#' | '}') || c.is_control()) {
            return wrong(match character {
                '?' => "a path has no query: use `.query(name, value)`".to_owned(),
                other => format!("a path has no {other:?}"),
            });
        }
    }
    Ok((fixed, inserted))
}
