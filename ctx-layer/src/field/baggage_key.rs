//! Legal keys of W3C baggage.

/// The maximum length of a field's key, in bytes. A longer key leaves too little room for the value.
const MAX_LEN: usize = 256;

/// The bytes that a `token` may contain (RFC 7230, section 3.2.6).
pub(crate) const TOKEN: [bool; 256] = {
    let mut token = [false; 256];
    let mut byte = 0x21;
    while byte <= 0x7e {
        token[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let others = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < others.len() {
        token[others[at] as usize] = true;
        at += 1;
    }
    token
};

/// Returns `true` if the key is legal: it is sent unencoded, so it has to be a token.
pub(super) const fn is_legal(key: &str) -> bool {
    let bytes = key.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !TOKEN[bytes[at] as usize] {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= MAX_LEN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_a_sensible_length_are_legal() {
        for (key, legal) in [
            ("tenant", true),
            ("x-tenant_id.v1", true),
            ("a+b", true),
            (&"k".repeat(256), true),
            (&"k".repeat(257), false),
            ("", false),
            ("tenant id", false),
            ("tenant=id", false),
            ("tenant,id", false),
            ("tenant;id", false),
            ("\"tenant\"", false),
            ("tenant\n", false),
            ("ténant", false),
            ("a/b", false),
            ("(a)", false),
        ] {
            assert_eq!(is_legal(key), legal, "{key:?}");
        }
    }
}
