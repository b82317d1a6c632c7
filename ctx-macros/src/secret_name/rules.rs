// Compiled in both crates, so without an inner attribute or another file.

/// Words that mark a secret wherever they are in a name.
const WORDS: &[&str] = &[
    "auth",
    "authorization",
    "apikey",
    "bearer",
    "cookie",
    "cred",
    "credential",
    "csrf",
    "cvc",
    "cvv",
    "dsn",
    "hmac",
    "hotp",
    "jwt",
    "mfa",
    "mnemonic",
    "oauth",
    "otp",
    "pass",
    "passcode",
    "passkey",
    "passphrase",
    "passwd",
    "password",
    "pin",
    "psk",
    "pw",
    "pwd",
    "salt",
    "secret",
    "sessid",
    "session",
    "sig",
    "signature",
    "ssn",
    "token",
    "totp",
    "xsrf",
];

/// Words that mark a secret even if they are joined to others: `dbpassword`, `AUTHTOKEN`, `passwordhash`.
const STEMS: &[&str] = &[
    "authorization",
    "cookie",
    "credential",
    "creds",
    "csrf",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "pwd",
    "secret",
    "sessid",
    "sessionid",
    "sessionkey",
    "signature",
    "ssn",
    "token",
    "xsrf",
];

/// Endings that turn a stem into another word: `tokenizer`, `secretary`.
const ENDINGS: &[&str] = &[
    "aries", "ariat", "ary", "ed", "er", "ers", "ibility", "ible", "ing", "ion", "ions", "isation", "ise", "ised",
    "iser", "ism", "ist", "ive", "ively", "ization", "ize", "ized", "izer", "izers", "izes", "izing", "less", "ly",
    "ness", "omics",
];

/// Pairs of words that mark a secret, one after the other, joined, or with one word between them: `api_key`, `apikey`,
/// `private_rsa_key`.
const PAIRS: &[(&str, &str)] = &[
    ("access", "code"),
    ("access", "key"),
    ("aes", "key"),
    ("api", "key"),
    ("auth", "code"),
    ("auth", "header"),
    ("auth", "key"),
    ("backup", "code"),
    ("card", "number"),
    ("connection", "string"),
    ("credit", "card"),
    ("crypto", "key"),
    ("decryption", "key"),
    ("deploy", "key"),
    ("encryption", "key"),
    ("gpg", "key"),
    ("license", "key"),
    ("master", "key"),
    ("pass", "key"),
    ("pgp", "key"),
    ("priv", "key"),
    ("private", "key"),
    ("recovery", "code"),
    ("recovery", "phrase"),
    ("reset", "code"),
    ("rsa", "key"),
    ("secret", "key"),
    ("security", "answer"),
    ("security", "code"),
    ("seed", "phrase"),
    ("shared", "key"),
    ("signing", "key"),
    ("social", "security"),
    ("ssh", "key"),
    ("subscription", "key"),
    ("verification", "code"),
    ("wallet", "key"),
];

/// Returns `true` if a name is that of a secret: `db_password`, `apiKeys`, `X-CSRFToken`.
pub(crate) fn is_secret(name: &str) -> bool {
    let (mut second_last, mut last) = ("", "");
    words(name).any(|word| {
        let word = word.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let singular = word.strip_suffix(['s', 'S']).unwrap_or(word);
        let ends_pair = |of: &str, pair: &(&str, &str)| of.eq_ignore_ascii_case(pair.0) && is(word, singular, pair.1);
        let is_secret = WORDS.iter().any(|known| is(word, singular, known))
            || STEMS
                .iter()
                .any(|stem| has_stem(word, stem) || singular.len() < word.len() && ends_with(singular, stem))
            || PAIRS.iter().any(|pair| ends_pair(last, pair) || ends_pair(second_last, pair) || has_pair(word, pair));
        (second_last, last) = (last, word);
        is_secret
    })
}

/// Returns `true` if two names differ only in case and in what separates their words: `api_key` and `apiKey` do, `api_key` and
/// `X-Api-Key` do not.
pub(crate) fn is_same(a: &str, b: &str) -> bool {
    fn letters(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    letters(a).eq(letters(b))
}

fn is(word: &str, singular: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known) || singular.eq_ignore_ascii_case(known)
}

fn ends_with(word: &str, end: &str) -> bool {
    word.len().checked_sub(end.len()).and_then(|at| word.get(at..)).is_some_and(|it| it.eq_ignore_ascii_case(end))
}

fn has_stem(word: &str, stem: &str) -> bool {
    let starts = word.get(..stem.len()).is_some_and(|it| it.eq_ignore_ascii_case(stem));
    let rest = word.get(stem.len()..).unwrap_or_default();
    ends_with(word, stem) || starts && !ENDINGS.iter().any(|ending| rest.eq_ignore_ascii_case(ending))
}

fn has_pair(word: &str, (first, second): &(&str, &str)) -> bool {
    let len = first.len() + second.len();
    let is_pair = |at: usize| {
        let part = |from: usize, to: usize| word.get(at + from..at + to);
        part(0, first.len()).is_some_and(|it| it.eq_ignore_ascii_case(first))
            && part(first.len(), len).is_some_and(|it| it.eq_ignore_ascii_case(second))
    };
    word.len() >= len && (0..=word.len() - len).any(is_pair)
}

/// Returns the words of a name in snake, kebab or camel case, with acronyms: `X`, `CSRF` and `Token` of `X-CSRFToken`.
pub(super) fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|letter: char| !letter.is_alphanumeric());
        if rest.is_empty() {
            return None;
        }
        let (word, after) = rest.split_at(word_len(rest));
        rest = after;
        Some(word)
    })
}

/// Returns the length of the first word of a name that begins with one.
fn word_len(name: &str) -> usize {
    let mut letters = name.char_indices().peekable();
    let mut before = None;
    while let Some((at, letter)) = letters.next() {
        if !letter.is_alphanumeric() {
            return at;
        }
        let next = letters.peek().map(|(_, next)| *next);
        let begins_word = match before {
            None => false,
            Some(before) if letter.is_uppercase() => {
                let is_after_acronym =
                    next.is_some_and(char::is_lowercase) && !is_plural(&name[at + letter.len_utf8()..]);
                !char::is_uppercase(before) || is_after_acronym
            }
            Some(before) => before.is_numeric() && letter.is_alphabetic(),
        };
        if begins_word {
            return at;
        }
        before = Some(letter);
    }
    name.len()
}

/// Returns `true` if what follows an acronym is only its plural: `JWTs`.
fn is_plural(after: &str) -> bool {
    let mut letters = after.chars();
    letters.next() == Some('s') && !letters.next().is_some_and(char::is_lowercase)
}
