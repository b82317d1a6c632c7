ctx_layer::context_fields! {
    static NO_NAME: String;
    let NOT_STATIC: String = "not_static";
    static NO_TYPE = "no_type";
    static NOTHING_AFTER_THE_ARROW: String = "nothing" =>;
    static NO_SEMICOLON: String = "no_semicolon"
}

fn main() {}
