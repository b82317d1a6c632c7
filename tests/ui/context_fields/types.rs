//! A value needs `Display`; a propagated one needs `FromStr`, too.

#[derive(Clone)]
struct NotShown;

#[derive(Clone)]
struct ShownOnly;

impl std::fmt::Display for ShownOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("shown")
    }
}

ctx_layer::context_fields! {
    static NOT_SHOWN: NotShown = "not_shown";
    static SHOWN_ONLY: ShownOnly = "shown_only" => propagated;
}

fn main() {}
