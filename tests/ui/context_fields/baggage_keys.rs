ctx_layer::context_fields! {
    static EMPTY: String = "empty" => propagated, baggage_key("");
    static BLANK: String = "blank" => propagated, baggage_key("tenant id");
    static SLASH: String = "slash" => propagated, baggage_key("tenant/id");
}

fn main() {
    let _ = (EMPTY.get(), BLANK.get(), SLASH.get());
}
