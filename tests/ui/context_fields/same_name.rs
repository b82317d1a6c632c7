ctx_layer::context_fields! {
    static FIRST: String = "tenant";
    static SECOND: u64 = "tenant";
}

fn main() {}
