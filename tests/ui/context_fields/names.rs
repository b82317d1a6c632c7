ctx_layer::context_fields! {
    static EMPTY: String = "";
    static ILLEGAL: String = "tenant id";
    static RESERVED: String = "message";
    static OF_OUTPUTS: String = "level";
    static LONG: String = concat!("x234567890x234567890x234567890x23", "4567890x234567890x234567890x23456789");
}

fn main() {
    let _ = (EMPTY.get(), ILLEGAL.get(), RESERVED.get(), OF_OUTPUTS.get(), LONG.get());
}
