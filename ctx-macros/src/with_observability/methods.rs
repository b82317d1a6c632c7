//! `#[with_observability]` on an `impl` block, which applies to each of its methods.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Generics, Ident, Path, Token, Type, WhereClause, braced, ext::IdentExt, parse::ParseStream};

use super::{arguments::ObservabilityArguments, check, observed::observed};
use crate::{
    errors::{Errors, did_you_mean},
    functions::{Function, Parameters},
};

pub(super) fn expand(arguments: TokenStream, item: TokenStream, errors: &mut Errors) -> TokenStream {
    let arguments = ObservabilityArguments::parse(arguments, ObservabilityArguments::default(), errors);
    let parser = |input: ParseStream<'_>| Block::parse(input);
    match syn::parse::Parser::parse2(parser, item.clone()) {
        Ok(block) => block.expand(arguments, errors),
        Err(error) => {
            errors.add_error(error);
            item
        }
    }
}

/// An `impl` block, with its methods parsed only as far as necessary.
struct Block {
    /// The tokens before the braces.
    head: TokenStream,
    inner_attributes: Vec<Attribute>,
    /// The name of the type, for the names of the spans.
    owner: String,
    parameters: Vec<Ident>,
    items: Vec<Item>,
}

enum Item {
    Method(Box<Function>),
    Other(TokenStream),
}

impl Block {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let safety: Option<Token![unsafe]> = input.parse()?;
        let keyword: Token![impl] = input.parse()?;
        // `impl <T as Trait>::Type` has no parameters.
        let has_parameters = input.peek(Token![<])
            && (input.peek2(Token![>])
                || input.peek2(Token![#])
                || input.peek2(syn::Lifetime)
                || input.peek2(Token![const])
                || input.peek2(Ident) && input.peek3(Token![:])
                || input.peek2(Ident) && input.peek3(Token![,])
                || input.peek2(Ident) && input.peek3(Token![>])
                || input.peek2(Ident) && input.peek3(Token![=]));
        let generics: Generics = if has_parameters { input.parse()? } else { Generics::default() };
        let mut subject = input.parse::<Type>()?;
        let mut head = quote!(#(#attributes)* #safety #keyword #generics #subject);
        if let Some(keyword) = input.parse::<Option<Token![for]>>()? {
            subject = input.parse()?;
            head.extend(quote!(#keyword #subject));
        }
        head.extend(input.parse::<Option<WhereClause>>()?.into_token_stream());
        let content;
        braced!(content in input);
        let inner_attributes = content.call(Attribute::parse_inner)?;
        let mut items = Vec::new();
        while !content.is_empty() {
            items.push(item(&content)?);
        }
        let parameters = generics.type_params().map(|parameter| parameter.ident.clone()).collect();
        Ok(Block { head, inner_attributes, owner: name(&subject), parameters, items })
    }

    fn expand(self, mut arguments: ObservabilityArguments, errors: &mut Errors) -> TokenStream {
        let Block { head, inner_attributes, owner, parameters, items } = self;
        let except = std::mem::take(&mut arguments.except);
        self::except(&except, &items, errors);
        if let Some(name) = &arguments.name {
            errors.add(name, "`name` applies to a method: all methods of the block would have the same name");
            arguments.name = None;
        }
        // Errors that affect all methods are reported once.
        let observed = items.iter().filter_map(Item::method).filter(|method| !except.contains(&method.signature.ident));
        check::arguments(&mut arguments, &Parameters::of_methods(observed), errors);
        let own: Vec<Ident> =
            items.iter().filter_map(Item::method).map(|method| method.signature.ident.clone()).collect();
        let asked: Vec<Ident> = own.iter().filter(|name| arguments.call_any(&[(*name).clone()])).cloned().collect();
        let items = items.into_iter().map(|item| match item {
            Item::Method(function) if except.contains(&function.signature.ident) => function.to_token_stream(),
            Item::Method(mut function) => {
                function.block_parameters.clone_from(&parameters);
                let mut arguments = arguments.clone();
                // A method that is called for a value on each call would recurse without end.
                if asked.contains(&function.signature.ident) {
                    arguments.keep_without_calls_of(&own);
                }
                method(*function, arguments, &owner, errors)
            }
            Item::Other(tokens) => tokens,
        });
        let items: TokenStream = items.collect();
        quote!(#head { #(#inner_attributes)* #items })
    }
}

impl Item {
    fn method(&self) -> Option<&Function> {
        match self {
            Item::Method(function) => Some(function),
            Item::Other(_) => None,
        }
    }
}

/// Expands a method. Its own arguments override those of the block.
fn method(
    mut function: Function,
    mut of_block: ObservabilityArguments,
    owner: &str,
    errors: &mut Errors,
) -> TokenStream {
    check::keep_own(&Parameters::of_function(&function), &mut of_block);
    let own = function.attributes.iter().position(|attribute| is_ours(attribute.path()));
    let arguments = match own.map(|own| function.attributes.remove(own).meta) {
        None | Some(syn::Meta::Path(_)) => of_block,
        Some(syn::Meta::List(list)) => ObservabilityArguments::parse(list.tokens, of_block, errors),
        Some(other) => {
            errors.add(other, "expected `#[with_observability(...)]`");
            of_block
        }
    };
    if let Some(name) = arguments.except.first() {
        errors.add(name, "`except` applies to the `impl` block");
    }
    observed(arguments, function, Some(owner), errors)
}

fn is_ours(path: &Path) -> bool {
    path.segments.last().is_some_and(|last| last.ident == "with_observability")
}

/// Reports names in `except` that are not methods.
fn except(except: &[Ident], items: &[Item], errors: &mut Errors) {
    let methods: Vec<String> =
        items.iter().filter_map(Item::method).map(|method| method.signature.ident.to_string()).collect();
    let known: Vec<&str> = methods.iter().map(String::as_str).collect();
    for name in except {
        let word = name.to_string();
        if !known.contains(&word.as_str()) {
            let hint = did_you_mean(&word, &known);
            errors.add(name, format_args!("this block has no method `{word}`{hint}"));
        }
    }
}

fn item(input: ParseStream<'_>) -> syn::Result<Item> {
    let ahead = input.fork();
    if ahead.parse::<Function>().is_ok() {
        return Ok(Item::Method(Box::new(input.parse()?)));
    }
    // Constants, types and macros stay unchanged.
    Ok(Item::Other(input.parse::<syn::ImplItem>()?.into_token_stream()))
}

/// Returns `Profiles` for `store::Profiles<T>`, `&Profiles` and `Box<Profiles>`.
fn name(subject: &Type) -> String {
    match subject {
        Type::Path(path) => path.path.segments.last().map(|last| last.ident.unraw().to_string()).unwrap_or_default(),
        Type::Reference(reference) => name(&reference.elem),
        Type::Paren(inner) => name(&inner.elem),
        Type::Group(inner) => name(&inner.elem),
        other => other.to_token_stream().to_string(),
    }
}
