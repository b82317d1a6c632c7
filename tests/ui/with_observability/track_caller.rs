//! `#[track_caller]` where it cannot have its effect, or would have one that is not seen.

use ctx_layer::with_observability;

#[track_caller]
#[with_observability]
async fn later() {}

macro_rules! bail {
    ($text:expr) => {
        return Err($text)
    };
}

#[track_caller]
#[with_observability]
fn leaves(text: &str) -> Result<usize, &'static str> {
    if text.is_empty() {
        bail!("it is empty");
    }
    println!("{}", text.parse::<u8>().map_err(|_| "no number")?);
    Ok(text.len())
}

#[track_caller]
#[with_observability]
fn gives() -> impl Fn(&str) -> &str {
    |text| text
}

fn main() {}
