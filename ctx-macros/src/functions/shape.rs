//! How a function runs: synchronously, or as a future or a stream.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{
    Block, Expr, ExprAsync, GenericArgument, Path, PathArguments, ReturnType, Stmt, Token, Type, TypeParamBound,
    punctuated::Punctuated, token::Brace,
};

use super::function::Function;

/// How a function runs.
pub(crate) enum Shape {
    /// Synchronously.
    Sync,
    /// Synchronously, without returning (`!`).
    Never,
    /// As an `async fn`.
    Async,
    /// Synchronously up to its last expression, which is an `async` block. `#[async_trait]` methods have this form.
    AsyncBlock(AsyncBlock),
    /// It returns a future.
    Future { is_boxed: bool },
    /// It returns a stream.
    Stream { is_boxed: bool },
}

/// A body that ends in an `async` block.
pub(crate) struct AsyncBlock {
    /// The tokens before the block.
    pub(crate) before: TokenStream,
    /// The attributes of the block.
    pub(crate) attributes: TokenStream,
    pub(crate) brace: Brace,
    pub(crate) body: TokenStream,
    /// `true` if it is in a `Box::pin(...)`.
    pub(crate) is_boxed: bool,
}

impl Function {
    pub(crate) fn shape(&self) -> Shape {
        if self.signature.asyncness.is_some() {
            return Shape::Async;
        }
        let returned = match &self.signature.output {
            ReturnType::Default => return Shape::Sync,
            ReturnType::Type(_, returned) => returned,
        };
        if let Type::Never(_) = **returned {
            return Shape::Never;
        }
        // Only a valid body can be parsed.
        if let Some(block) = async_block(&self.body) {
            return Shape::AsyncBlock(block);
        }
        match kind(returned) {
            Some((Kind::Future, is_boxed)) => Shape::Future { is_boxed },
            Some((Kind::Stream, is_boxed)) => Shape::Stream { is_boxed },
            None => Shape::Sync,
        }
    }
}

/// Returns the `async` block at the end of a body, boxed or not.
/// (The pattern of tracing-attributes 0.1.31, `expand.rs`, `AsyncInfo::from_fn`.)
fn async_block(body: &TokenStream) -> Option<AsyncBlock> {
    let statements = syn::parse::Parser::parse2(Block::parse_within, body.clone()).ok()?;
    let (last, before) = statements.split_last()?;
    let Stmt::Expr(last, None) = last else { return None };
    let (block, is_boxed) = match last {
        Expr::Async(block) => (block, false),
        Expr::Call(call) => {
            let Expr::Path(function) = &*call.func else { return None };
            let is_boxing = is_box_pin(&function.path);
            match call.args.first() {
                Some(Expr::Async(block)) if is_boxing && call.args.len() == 1 => (block, true),
                _ => return None,
            }
        }
        _ => return None,
    };
    let ExprAsync { attrs, block, .. } = block;
    Some(AsyncBlock {
        before: before.iter().map(ToTokens::to_token_stream).collect(),
        attributes: attrs.iter().map(ToTokens::to_token_stream).collect(),
        brace: block.brace_token,
        body: block.stmts.iter().map(ToTokens::to_token_stream).collect(),
        is_boxed,
    })
}

fn is_box_pin(path: &Path) -> bool {
    let mut last = path.segments.iter().rev();
    last.next().is_some_and(|segment| segment.ident == "pin")
        && last.next().is_some_and(|segment| segment.ident == "Box")
}

/// Returns the `T` of `impl Future<Output = T>`, `Pin<Box<dyn Future<Output = T>>>`, `BoxFuture<'_, T>`, and the same
/// of `Stream<Item = T>`, as written.
pub(super) fn output(written: &Type) -> Option<&Type> {
    match written {
        Type::ImplTrait(implemented) => output_of(&implemented.bounds),
        Type::TraitObject(object) => output_of(&object.bounds),
        Type::Paren(inner) => output(&inner.elem),
        Type::Group(inner) => output(&inner.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" | "BoxStream" | "LocalBoxStream" => argument(&last.arguments),
                "Pin" | "Box" => output(argument(&last.arguments)?),
                _ => None,
            }
        }
        _ => None,
    }
}

fn output_of(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<&Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let last = bound.path.segments.last().filter(|last| last.ident == "Future" || last.ident == "Stream")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(named) if named.ident == "Output" || named.ident == "Item" => Some(&named.ty),
            _ => None,
        })
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Future,
    Stream,
}

/// Returns the kind of a type, as written, if it is a future or a stream: `impl Future`, `Pin<Box<dyn Stream>>`,
/// `BoxFuture`.
fn kind(written: &Type) -> Option<(Kind, bool)> {
    match written {
        Type::ImplTrait(implemented) => Some((bounds(&implemented.bounds)?, false)),
        Type::Paren(inner) => kind(&inner.elem),
        Type::Group(inner) => kind(&inner.elem),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match last.ident.to_string().as_str() {
                "BoxFuture" | "LocalBoxFuture" => Some((Kind::Future, true)),
                "BoxStream" | "LocalBoxStream" => Some((Kind::Stream, true)),
                "Pin" => match argument(&last.arguments)? {
                    Type::Path(boxed) => {
                        let boxed = boxed.path.segments.last().filter(|last| last.ident == "Box")?;
                        match argument(&boxed.arguments)? {
                            Type::TraitObject(object) => Some((bounds(&object.bounds)?, true)),
                            Type::ImplTrait(implemented) => Some((bounds(&implemented.bounds)?, true)),
                            _ => None,
                        }
                    }
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

fn argument(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(written) => Some(written),
        _ => None,
    })
}

fn bounds(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Kind> {
    bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => match bound.path.segments.last()?.ident.to_string().as_str() {
            "Future" => Some(Kind::Future),
            "Stream" => Some(Kind::Stream),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(function: &str) -> &'static str {
        match syn::parse_str::<Function>(function).unwrap().shape() {
            Shape::Sync => "sync",
            Shape::Never => "never",
            Shape::Async => "async",
            Shape::AsyncBlock(AsyncBlock { is_boxed: false, .. }) => "block",
            Shape::AsyncBlock(AsyncBlock { is_boxed: true, .. }) => "boxed block",
            Shape::Future { is_boxed: false } => "future",
            Shape::Future { is_boxed: true } => "boxed future",
            Shape::Stream { is_boxed: false } => "stream",
            Shape::Stream { is_boxed: true } => "boxed stream",
        }
    }

    #[test]
    fn the_shape_depends_on_the_signature_and_the_end_of_the_body() {
        for (function, expected) in [
            ("fn f() {}", "sync"),
            ("fn f() -> u8 { 1 }", "sync"),
            ("fn f() -> ! { loop {} }", "never"),
            ("async fn f() -> u8 { 1 }", "async"),
            ("fn f() -> impl Future<Output = u8> { let a = 1; async move { a } }", "block"),
            ("fn f() -> Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { 1 }) }", "boxed block"),
            ("fn f() -> impl Send + std::future::Future<Output = u8> { ready(1) }", "future"),
            ("fn f() -> std::pin::Pin<std::boxed::Box<dyn Future<Output = u8>>> { Box::pin(g()) }", "boxed future"),
            ("fn f() -> BoxFuture<'static, u8> { g().boxed() }", "boxed future"),
            ("fn f() -> Pin<Box<impl Future<Output = u8>>> { Box::pin(g()) }", "boxed future"),
            ("fn f() -> impl Stream<Item = u8> { iter([1]) }", "stream"),
            ("fn f() -> Pin<Box<dyn Stream<Item = u8>>> { Box::pin(iter([1])) }", "boxed stream"),
            ("fn f() -> BoxStream<'_, u8> { iter([1]).boxed() }", "boxed stream"),
            ("fn f() -> Box<dyn Error> { not rust at all }", "sync"),
        ] {
            assert_eq!(shape(function), expected, "{function}");
        }
    }
}
