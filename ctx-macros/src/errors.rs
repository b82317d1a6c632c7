//! The errors in a macro's input, each at its token.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// A list of errors, which are all reported at once.
#[derive(Default)]
pub(crate) struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds an error at `tokens`.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.add_error(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error that has its span already.
    pub(crate) fn add_error(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the errors as `compile_error!` invocations, or nothing.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.map(|error| error.into_compile_error()).unwrap_or_default()
    }
}

/// Returns ` (did you mean `x`?)` if one of the `known` words is close to `word`.
pub(crate) fn did_you_mean(word: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|known| (distance(word, known), known))
        .filter(|(distance, known)| *distance <= known.len() / 3 + 1 && *distance < known.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| format!(" (did you mean `{known}`?)"))
        .unwrap_or_default()
}

/// Returns the Levenshtein distance of two words.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in b.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.chars().count()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_similar_known_word_is_suggested() {
        let known = ["propagate", "masked", "max_len"];
        assert_eq!(did_you_mean("propogate", &known), " (did you mean `propagate`?)");
        assert_eq!(did_you_mean("maxlen", &known), " (did you mean `max_len`?)");
        assert_eq!(did_you_mean("colour", &known), "");
        assert_eq!(did_you_mean("b", &["a"]), "");
    }

    #[test]
    fn the_distance_of_two_words_is_the_number_of_edits() {
        for (a, b, changes) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2)] {
            assert_eq!(distance(a, b), changes, "{a} {b}");
            assert_eq!(distance(b, a), changes, "{b} {a}");
        }
    }
}
