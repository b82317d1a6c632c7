//! The definition of a setting, from which everything else about it comes.

use super::{
    node::Node,
    value::{Refused, SettingValue},
};

/// A setting: its key, its variables, its type and its documentation.
///
/// Reading files and variables, the template, the table in the docs and `Settings::explain` all use one list of these, so that
/// they cannot disagree. `S` is the type of the settings.
pub(crate) struct Definition<S> {
    /// The section: `observability` or `context`.
    pub(crate) section: &'static str,
    /// The key in the section.
    pub(crate) key: &'static str,
    /// The section and the key.
    pub(crate) full_key: &'static str,
    /// The documentation, of one or more lines.
    pub(crate) doc: &'static [&'static str],
    /// The standard variables that set it, the first of which wins.
    pub(crate) variables: &'static [Variable],
    /// Its values are not shown.
    pub(crate) is_secret: bool,
    pub(crate) allowed: fn() -> String,
    pub(crate) to_toml: fn(&S) -> String,
    /// Sets the default.
    #[cfg_attr(not(feature = "setup-config-file"), allow(dead_code, reason = "only a file that is complete needs it"))]
    pub(crate) reset: fn(&mut S),
    pub(crate) is_equal: fn(&S, &S) -> bool,
    pub(crate) set_node: fn(&mut S, &Node) -> Result<(), Refused>,
    pub(crate) set_text: fn(&mut S, &str) -> Result<(), Refused>,
}

/// A standard variable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    /// `true` there is `false` here.
    pub(crate) is_negated: bool,
}

impl Variable {
    pub(crate) const fn new(name: &'static str) -> Self {
        Variable { name, is_negated: false }
    }

    pub(crate) const fn negated(name: &'static str) -> Self {
        Variable { name, is_negated: true }
    }
}

impl<S> Definition<S> {
    /// Returns the library's own variable: `CTX_OBSERVABILITY_SAMPLING_RATE`.
    pub(crate) fn own_variable(&self) -> String {
        format!("CTX_{}_{}", self.section, self.key).to_ascii_uppercase()
    }

    /// Sets the value of a standard variable.
    pub(crate) fn set_variable(&self, settings: &mut S, variable: Variable, text: &str) -> Result<(), Refused> {
        if variable.is_negated {
            let value = !bool::from_text(text)?;
            return (self.set_text)(settings, if value { "true" } else { "false" });
        }
        (self.set_text)(settings, text)
    }

    /// Returns the documentation in one line.
    pub(crate) fn doc_line(&self) -> String {
        self.doc.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

/// Declares the sections of the settings, and the list of all definitions.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])*
        pub struct $section_type:ident in $section:ident {
            $(
                $(#[doc = $doc:literal])*
                $key:ident: $type:ty = $default:expr $(, variables [$($variable:expr),+])? $(, secret $is_secret:literal)?;
            )+
        }
    )+) => {
        $(
            $(#[doc = $section_doc])*
            #[derive(Clone, Debug, PartialEq)]
            #[non_exhaustive]
            pub struct $section_type {
                $($(#[doc = $doc])* pub $key: $type,)+
            }

            impl Default for $section_type {
                fn default() -> Self {
                    $section_type { $($key: $default,)+ }
                }
            }
        )+

        /// All settings, in the order of the docs.
        pub(crate) static DEFINITIONS: &[Definition<Settings>] = &[$($(
            Definition {
                section: stringify!($section),
                key: stringify!($key),
                full_key: concat!(stringify!($section), ".", stringify!($key)),
                doc: &[$($doc),*],
                variables: &[$($($variable),+)?],
                is_secret: false $(|| $is_secret)?,
                allowed: <$type as SettingValue>::allowed,
                to_toml: |settings| SettingValue::to_toml(&settings.$section.$key),
                reset: |settings| settings.$section.$key = $default,
                is_equal: |one, other| one.$section.$key == other.$section.$key,
                set_node: |settings, node| {
                    settings.$section.$key = <$type as SettingValue>::from_node(node)?;
                    Ok(())
                },
                set_text: |settings, text| {
                    settings.$section.$key = <$type as SettingValue>::from_text(text)?;
                    Ok(())
                },
            },
        )+)+];
    };
}

pub(crate) use settings;
