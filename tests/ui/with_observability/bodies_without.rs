//! `bodies.rs` without the attribute: the errors are at the same places.

//

//
fn wrong_end() -> u8 {
    let text = "text";
    text
}

//
fn wrong_return(flag: bool) -> Result<u8, std::num::ParseIntError> {
    if flag {
        return Ok("text");
    }
    Ok(1)
}

//
fn nothing_at_the_end() -> Result<u8, String> {
    wrong_end();
}

//
async fn wrong_end_later() -> Result<u8, String> {
    Ok("text")
}

//
fn unit(flag: bool) {
    if flag {
        return 1;
    }
    "text"
}

//
fn wrong_question_mark() -> Result<u8, std::fmt::Error> {
    "1".parse::<u8>()?;
    Ok(1)
}

//
fn unknown_name(a: u8) -> u8 {
    b
}

//
fn borrowed(text: String) -> &'static str {
    &text
}

//
fn moved_twice(text: String) -> (String, String) {
    (text, text)
}

//
fn never() -> ! {
    wrong_end();
}

//
fn unknown_type(a: Missing) -> Missing {
    a
}

fn main() {}
