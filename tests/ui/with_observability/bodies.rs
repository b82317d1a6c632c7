//! Errors in a body are where they would be without the attribute: `bodies_without.rs` has none.

use ctx_layer::with_observability;

#[with_observability]
fn wrong_end() -> u8 {
    let text = "text";
    text
}

#[with_observability]
fn wrong_return(flag: bool) -> Result<u8, std::num::ParseIntError> {
    if flag {
        return Ok("text");
    }
    Ok(1)
}

#[with_observability]
fn nothing_at_the_end() -> Result<u8, String> {
    wrong_end();
}

#[with_observability]
async fn wrong_end_later() -> Result<u8, String> {
    Ok("text")
}

#[with_observability]
fn unit(flag: bool) {
    if flag {
        return 1;
    }
    "text"
}

#[with_observability]
fn wrong_question_mark() -> Result<u8, std::fmt::Error> {
    "1".parse::<u8>()?;
    Ok(1)
}

#[with_observability]
fn unknown_name(a: u8) -> u8 {
    b
}

#[with_observability]
fn borrowed(text: String) -> &'static str {
    &text
}

#[with_observability]
fn moved_twice(text: String) -> (String, String) {
    (text, text)
}

#[with_observability]
fn never() -> ! {
    wrong_end();
}

#[with_observability]
fn unknown_type(a: Missing) -> Missing {
    a
}

fn main() {}
