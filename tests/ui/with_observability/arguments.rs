//! Unknown, incomplete and repeated arguments: all are reported at once.

use ctx_layer::with_observability;

#[with_observability(log_arg = false, levle = "info", colour = "red")]
fn unknown() {}

#[with_observability(level = "info", err, level = "warn", err(Debug))]
fn twice() -> Result<(), String> {
    Ok(())
}

#[with_observability(level, name =, kind = , log_args, skip, fields, parent)]
fn without_a_value() {}

#[with_observability(= 3, level: "info", "twice", skip(, 5), log_args = true false)]
fn garbage() {}

#[with_observability(skip[a], fields = { rows: 3 }, redact{a}, err = true)]
fn other_brackets(a: u8) -> Result<(), String> {
    let _ = a;
    Ok(())
}

#[with_observability(err(lvl = "warn"), ret(level = "warn", level = "info", Debug, Display, 3))]
fn of_events() -> Result<(), String> {
    Ok(())
}

fn main() {}
