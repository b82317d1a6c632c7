ctx_layer::context_fields! {
    static EMPTY: String = "empty" => propagate, baggage_key("");
    static BLANK: String = "blank" => propagate, baggage_key("tenant id");
    static SLASH: String = "slash" => propagate, baggage_key("tenant/id");
}

fn main() {
    let _ = (EMPTY.get(), BLANK.get(), SLASH.get());
}
