//! All errors are reported at once, and the fields can be used nevertheless.

ctx_layer::context_fields! {
    /// Nearly right.
    static MISSPELT: String = "misspelt" => propogate, maxlen(64);
    /// Nothing like it.
    static UNKNOWN: String = "unknown" => purple;
    static TWICE: String = "twice" => masked, masked;
    static BOTH: String = "both" => masked, hashed;
    static TOO_FEW: String = "too_few" => max_len;
    static TOO_MANY: String = "too_many" => max_len(1, 2), propagated(true);
    static RIGHT: u64 = "right" => propagated, max_len(64),;
}

fn main() {
    let _ = (MISSPELT.get(), UNKNOWN.get(), TWICE.get(), BOTH.get(), TOO_FEW.get(), TOO_MANY.get());
    let _: Option<u64> = RIGHT.get();
}
