//! Detecting that lines are read on a terminal, and in colours.

use std::{
    any::type_name,
    ffi::OsString,
    io::{self, IsTerminal},
};

use tracing_subscriber::fmt::MakeWriter;

/// Returns `true` if these writers write to a terminal: they are standard output or standard error, alone or behind the wrappers of
/// `tracing-subscriber`, and it is one. Other writers may be anything.
pub(super) fn is_terminal<W>() -> bool
where
    W: for<'a> MakeWriter<'a>,
{
    // A type says what its values write to, and only its name can be compared whatever its lifetimes.
    let name = type_name::<<W as MakeWriter<'static>>::Writer>();
    let (out, err) = (name.contains("std::io::stdio::Stdout"), name.contains("std::io::stdio::Stderr"));
    (out || err) && (!out || io::stdout().is_terminal()) && (!err || io::stderr().is_terminal())
}

/// Returns `true` if lines have colours, by the variables that are usual for that.
pub(super) fn wants_colours(is_terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if let Some(value) = set("FORCE_COLOR") {
        return value != "0" && value != "false";
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    is_terminal && set("TERM").is_none_or(|term| term != "dumb") && set("CLICOLOR").is_none_or(|value| value != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_chosen_by_variables_and_by_the_terminal() {
        for (variables, on_terminal, elsewhere) in [
            (&[][..], true, false),
            (&[("NO_COLOR", "1")], false, false),
            (&[("NO_COLOR", "")], true, false),
            (&[("NO_COLOR", "1"), ("FORCE_COLOR", "1")], false, false),
            (&[("FORCE_COLOR", "1")], true, true),
            (&[("FORCE_COLOR", "0")], false, false),
            (&[("FORCE_COLOR", "false"), ("CLICOLOR_FORCE", "1")], false, false),
            (&[("CLICOLOR_FORCE", "1")], true, true),
            (&[("CLICOLOR_FORCE", "0")], true, false),
            (&[("CLICOLOR", "0")], false, false),
            (&[("TERM", "dumb")], false, false),
            (&[("TERM", "xterm")], true, false),
        ] {
            let variable = |name: &str| {
                variables.iter().find(|(known, _): &&(&str, &str)| *known == name).map(|(_, value)| value.into())
            };
            assert_eq!(wants_colours(true, variable), on_terminal, "{variables:?}");
            assert_eq!(wants_colours(false, variable), elsewhere, "{variables:?}");
        }
    }

    #[test]
    fn a_writer_of_another_kind_is_no_terminal() {
        assert!(!is_terminal::<fn() -> io::Sink>());
        assert!(!is_terminal::<std::sync::Mutex<Vec<u8>>>());
        assert_eq!(is_terminal::<fn() -> io::Stderr>(), io::stderr().is_terminal());
        assert_eq!(is_terminal::<fn() -> io::StdoutLock<'static>>(), io::stdout().is_terminal());
    }
}
