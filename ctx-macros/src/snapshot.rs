//! Snapshots of expansions, for tests. `UPDATE_SNAPSHOTS=1 cargo test -p ctx-macros` updates them.

use std::{fs, path::Path};

use proc_macro2::TokenStream;

/// Compares the expansion of an attribute with `<attribute>/snapshots/<name>.rs`.
pub(crate) fn compare(
    attribute: &str,
    name: &str,
    expand: impl Fn(TokenStream, TokenStream) -> TokenStream,
    arguments: TokenStream,
    item: TokenStream,
) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/{attribute}/snapshots/{name}.rs"));
    let attribute = if arguments.is_empty() {
        format!("#[{attribute}]")
    } else {
        format!("#[{attribute}({})]", arguments.to_string().replace(" : ", ": ").replace(" ,", ","))
    };
    let before = pretty(item.clone());
    let before: String = before.lines().map(|line| format!("// {line}\n")).collect();
    let expansion = format!("// {attribute}\n{before}\n{}", pretty(expand(arguments, item)));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(file, expansion).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    assert!(
        expansion == expected,
        "{name} has another expansion (`-` snapshot, `+` now; UPDATE_SNAPSHOTS=1 updates it):\n{}",
        difference(&expected, &expansion)
    );
}

pub(crate) fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

/// Returns the lines that differ, with their context.
fn difference(before: &str, after: &str) -> String {
    let (before, after): (Vec<_>, Vec<_>) = (before.lines().collect(), after.lines().collect());
    // The length of the longest common subsequence of the remaining lines.
    let mut common = vec![vec![0; after.len() + 1]; before.len() + 1];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i][j] = match before[i] == after[j] {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, String::new());
    while i < before.len() || j < after.len() {
        let (sign, line) = if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
            (' ', before[i - 1])
        } else if j == after.len() || i < before.len() && common[i + 1][j] >= common[i][j + 1] {
            i += 1;
            ('-', before[i - 1])
        } else {
            j += 1;
            ('+', after[j - 1])
        };
        lines.extend([sign, ' ']);
        lines.push_str(line);
        lines.push('\n');
    }
    lines
}
