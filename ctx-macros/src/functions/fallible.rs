//! Return types of a function: whether it can return an error, and whether that error can borrow.

use syn::{
    GenericArgument, Ident, Lifetime, PathArguments, ReturnType, Type, TypeImplTrait, TypePath, TypeReference,
    visit_mut::{VisitMut, visit_type_impl_trait_mut, visit_type_path_mut, visit_type_reference_mut},
};

use super::function::Function;

impl Function {
    /// Returns `true` if the error's type, as written, has a lifetime or could have one, as a type parameter could.
    /// Elided lifetimes, and those hidden in an alias, are not found.
    pub(crate) fn error_may_borrow(&self) -> bool {
        let ReturnType::Type(_, returned) = &self.signature.output else { return false };
        let mut search = ErrorSearch { function: self, is_within: false, found: false };
        search.visit_type_mut(&mut returned.clone());
        search.found
    }

    /// Returns `true` if the return type, as written, cannot be a `Result`, even by an alias.
    pub(crate) fn never_fails(&self) -> bool {
        match &self.signature.output {
            ReturnType::Default => true,
            ReturnType::Type(_, written) => match &**written {
                Type::Reference(_) | Type::Tuple(_) | Type::Slice(_) | Type::Array(_) | Type::Never(_) => true,
                Type::Path(path) => {
                    path.path.get_ident().is_some_and(|name| PRIMITIVE.iter().any(|primitive| name == primitive))
                }
                _ => false,
            },
        }
    }
}

/// The types whose names are never aliases of others.
const PRIMITIVE: &[&str] = &[
    "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
    "usize",
];

struct ErrorSearch<'a> {
    function: &'a Function,
    /// `true` within the error type, or what may be one.
    is_within: bool,
    found: bool,
}

impl ErrorSearch<'_> {
    fn is_parameter(&self, name: &Ident) -> bool {
        let text = name.to_string();
        // Without an attribute on the `impl` block, its type parameters are recognized by common names.
        let is_usual = text.len() <= 2
            && text.starts_with(|letter: char| letter.is_ascii_uppercase())
            && !text.contains(|letter: char| letter.is_ascii_lowercase());
        is_usual || name == "Self" || self.function.is_type_parameter(name)
    }

    /// Returns `true` if the arguments would make the error borrow, if the type is an alias of `Result`. The first type
    /// is then that of the success.
    fn is_alias_of_borrowing(&self, arguments: &PathArguments) -> bool {
        let PathArguments::AngleBracketed(arguments) = arguments else { return false };
        let mut search = ErrorSearch { function: self.function, is_within: true, found: false };
        let mut is_first = true;
        for argument in &arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => search.found |= !is_static(lifetime),
                GenericArgument::Type(_) if std::mem::take(&mut is_first) => {}
                GenericArgument::Type(written) => search.visit_type_mut(&mut written.clone()),
                _ => {}
            }
        }
        search.found
    }
}

/// Returns `true` if a type of this name is a future or a stream, not a `Result`.
fn is_known(name: &Ident) -> bool {
    ["BoxFuture", "LocalBoxFuture", "BoxStream", "LocalBoxStream"].iter().any(|known| name == known)
}

impl VisitMut for ErrorSearch<'_> {
    fn visit_type_path_mut(&mut self, path: &mut TypePath) {
        if self.is_within {
            let is_parameter = path.path.segments.first().is_some_and(|first| self.is_parameter(&first.ident));
            self.found |= path.qself.is_some() || is_parameter;
            return visit_type_path_mut(self, path);
        }
        let Some(last) = path.path.segments.last_mut() else { return };
        if !last.ident.to_string().ends_with("Result") {
            self.found |= last.ident != "Self" && !is_known(&last.ident) && self.is_alias_of_borrowing(&last.arguments);
            return visit_type_path_mut(self, path);
        }
        let PathArguments::AngleBracketed(arguments) = &mut last.arguments else { return };
        // The first type is that of the success.
        let mut types = 0;
        for argument in &mut arguments.args {
            match argument {
                GenericArgument::Lifetime(lifetime) => self.found |= !is_static(lifetime),
                GenericArgument::Type(written) => {
                    self.is_within = types > 0;
                    types += 1;
                    self.visit_type_mut(written);
                    self.is_within = false;
                }
                _ => {}
            }
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        self.found |= self.is_within && !reference.lifetime.as_ref().is_some_and(is_static);
        visit_type_reference_mut(self, reference);
    }

    fn visit_type_impl_trait_mut(&mut self, implemented: &mut TypeImplTrait) {
        self.found |= self.is_within;
        visit_type_impl_trait_mut(self, implemented);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        self.found |= self.is_within && !is_static(lifetime);
    }
}

fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_may_borrow_if_it_has_a_lifetime_or_an_open_type() {
        for (returned, expected) in [
            ("Result<&'a str, io::Error>", false),
            ("io::Result<T>", false),
            ("anyhow::Result<&str>", false),
            ("Result<(), &'static str>", false),
            ("Result<(), Box<dyn Error + Send + Sync + 'static>>", false),
            ("impl Future<Output = Result<T, Error>> + 'a", false),
            ("Pin<Box<dyn Future<Output = Result<Self, Error>> + Send + '_>>", false),
            ("Option<&str>", false),
            ("Fallible<T>", false),
            ("BoxFuture<'a, Result<T, Error>>", false),
            ("Fallible<u8, Error>", false),
            ("Fallible<'_>", true),
            ("Fallible<'a, T>", true),
            ("Fallible<u8, E>", true),
            ("Fallible<&'a str, ParseError<'a>>", true),
            ("impl Future<Output = Fallible<'a, T>>", true),
            ("BoxFuture<'a, Fallible<'a>>", true),
            ("Result<(), &str>", true),
            ("Result<(), ParseError<'_>>", true),
            ("ParseResult<'a, u8>", true),
            ("Result<(), Failed>", true),
            ("Result<(), E>", true),
            ("Result<(), Self::Error>", true),
            ("Result<(), <S as Store>::Error>", true),
            ("Result<(), SendError<T>>", true),
            ("Result<(), Box<dyn Error + 'a>>", true),
            ("Result<(), impl Error>", true),
            ("BoxStream<'a, Result<u8, S::Error>>", true),
        ] {
            let function = format!("fn f<Failed: Error>() -> {returned} {{}}");
            let function: Function = syn::parse_str(&function).unwrap();
            assert_eq!(function.error_may_borrow(), expected, "{returned}");
        }
    }
}
