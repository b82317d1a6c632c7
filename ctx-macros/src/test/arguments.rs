//! The arguments of `#[test(...)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{
    Expr, Ident, LitInt, LitStr, Path,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use crate::{
    errors::Errors,
    input::{after_equals, boolean, check_known, entries, library},
};

const KNOWN: &[&str] = &["schema", "filter", "flavor", "worker_threads", "start_paused", "crate"];

#[derive(Default)]
pub(super) struct TestArguments {
    pub(super) schema: Option<Expr>,
    pub(super) filter: Option<Expr>,
    /// The word, for errors, and `true` for a runtime of several threads.
    pub(super) is_multi_thread: Option<(Ident, bool)>,
    pub(super) worker_threads: Option<(Ident, LitInt)>,
    pub(super) start_paused: Option<(Ident, bool)>,
    library: Option<Path>,
}

impl TestArguments {
    /// Parses the arguments. Reports invalid ones and continues with the next.
    pub(super) fn parse(written: TokenStream, errors: &mut Errors) -> Self {
        let mut arguments = TestArguments::default();
        let mut seen: Vec<String> = Vec::new();
        let mut parse = |input: ParseStream<'_>| {
            entries(input, errors, |input| arguments.parse_one(input, &mut seen)).map(|_: Vec<()>| ())
        };
        if let Err(error) = (|input: ParseStream<'_>| parse(input)).parse2(written) {
            errors.add_error(error);
        }
        if let (Some((word, _)), Some((_, false)) | None) = (&arguments.worker_threads, &arguments.is_multi_thread) {
            errors.add(word, "`worker_threads` needs `flavor = \"multi_thread\"`: add it, or remove `worker_threads`");
        }
        if let (Some((word, true)), Some((_, true))) = (&arguments.start_paused, &arguments.is_multi_thread) {
            errors.add(
                word,
                "`start_paused` needs `flavor = \"current_thread\"`: the time of several threads cannot be paused",
            );
        }
        arguments
    }

    fn parse_one(&mut self, input: ParseStream<'_>, seen: &mut Vec<String>) -> syn::Result<()> {
        let expected =
            |error: syn::Error| syn::Error::new(error.span(), format_args!("expected one of: {}", KNOWN.join(", ")));
        let word = input.call(Ident::parse_any).map_err(expected)?;
        let name = check_known(&word, KNOWN, seen)?;
        match name.as_str() {
            "schema" => self.schema = Some(after_equals(input, &word, "schema = schema()")?.parse()?),
            "filter" => self.filter = Some(after_equals(input, &word, "filter = \"info,orders=debug\"")?.parse()?),
            "flavor" => {
                let flavor: LitStr = after_equals(input, &word, "flavor = \"multi_thread\"")?.parse()?;
                let is_multi_thread = match flavor.value().as_str() {
                    "multi_thread" => true,
                    "current_thread" => false,
                    _ => {
                        let message = "expected \"current_thread\" or \"multi_thread\"";
                        return Err(syn::Error::new(flavor.span(), message));
                    }
                };
                self.is_multi_thread = Some((word, is_multi_thread));
            }
            "worker_threads" => {
                let count: LitInt = after_equals(input, &word, "worker_threads = 2")?.parse()?;
                if count.base10_parse::<usize>().is_ok_and(|count| count == 0) {
                    return Err(syn::Error::new(count.span(), "a runtime has at least one worker thread"));
                }
                self.worker_threads = Some((word, count));
            }
            "start_paused" => {
                let start_paused = boolean(input, &word)?;
                self.start_paused = Some((word, start_paused));
            }
            _ => self.library = Some(library(input, &word)?),
        }
        Ok(())
    }

    /// Returns the path of the library.
    pub(super) fn library(&self) -> TokenStream {
        self.library.as_ref().map_or_else(|| quote!(::ctx_layer), ToTokens::to_token_stream)
    }

    /// Returns an argument that only a runtime of this attribute can have.
    pub(super) fn of_runtime(&self) -> Option<&Ident> {
        let flavor = self.is_multi_thread.as_ref().map(|(word, _)| word);
        let worker_threads = self.worker_threads.as_ref().map(|(word, _)| word);
        flavor.or(worker_threads).or(self.start_paused.as_ref().map(|(word, _)| word))
    }
}
