//! A YAML file as nodes with lines.

use std::{borrow::Cow, path::Path};

use saphyr::{MarkedYaml, Scalar, ScalarStyle, YamlData, YamlLoader};

use super::substitution::substituted;
use crate::setup::settings::{
    Origin, SettingsProblem,
    node::{Entry, Node, Raw, quoted},
};

/// More nested nodes than any configuration has. They would overflow the stack.
const MAX_DEPTH: usize = 64;

/// Parses a YAML file, and replaces its references to variables. Returns no document if it is no YAML.
pub(crate) fn parse(
    path: &Path,
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> (Option<Node>, Vec<SettingsProblem>) {
    let at = |line: usize| Origin::File { path: path.to_owned(), line, key: String::new() };
    if let Some(line) = text.lines().position(is_deep) {
        let found = format!("more than {MAX_DEPTH} nested nodes");
        return (None, vec![SettingsProblem::new(at(line + 1), found, "declarative configuration")]);
    }
    let mut loader = YamlLoader::<MarkedYaml<'_>>::default();
    // Scalars have their types only after references in them are replaced.
    loader.early_parse(false);
    let mut parser = saphyr_parser::Parser::new_from_str(text);
    let scanned = parser.load(&mut loader, true);
    if let Some(error) = scanned.err().or_else(|| loader.error().cloned()) {
        let found = format!("an error of syntax: {}", error.info());
        return (None, vec![SettingsProblem::new(at(error.marker().line()), found, "YAML")]);
    }
    let mut reader = Reader { path, variable, problems: Vec::new() };
    let document = match loader.into_documents().into_iter().next() {
        Some(document) => reader.node(&document, 0),
        None => Node { value: Raw::Null, line: 1 },
    };
    (Some(document), reader.problems)
}

/// Returns `true` if one line opens more nodes than are allowed: `- - - -`.
fn is_deep(line: &str) -> bool {
    let opening = line.chars().take_while(|c| " -?:[{\t".contains(*c));
    opening.filter(|c| !c.is_whitespace()).count() > MAX_DEPTH
}

struct Reader<'a> {
    path: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<SettingsProblem>,
}

impl Reader<'_> {
    fn node(&mut self, yaml: &MarkedYaml<'_>, depth: usize) -> Node {
        let line = yaml.span.start.line();
        if depth > MAX_DEPTH {
            let found = format!("more than {MAX_DEPTH} nested nodes");
            self.problem(line, found, "declarative configuration");
            return Node { value: Raw::Null, line };
        }
        let value = match &yaml.data {
            YamlData::Representation(text, style, _) => self.scalar(text, *style, line),
            YamlData::Value(scalar) => resolved(scalar),
            YamlData::Sequence(nodes) => Raw::List(nodes.iter().map(|node| self.node(node, depth + 1)).collect()),
            YamlData::Mapping(pairs) => {
                let entries = pairs.iter().map(|(key, node)| Entry {
                    // Keys have no references.
                    key: match &key.data {
                        YamlData::Representation(text, ..) => text.to_string(),
                        YamlData::Value(Scalar::String(text)) => text.to_string(),
                        _ => String::new(),
                    },
                    line: key.span.start.line(),
                    node: self.node(node, depth + 1),
                });
                Raw::Table(entries.collect())
            }
            YamlData::Tagged(_, node) => return self.node(node, depth + 1),
            YamlData::Alias(_) | YamlData::BadValue => Raw::Other("a value that is no YAML".to_owned()),
        };
        Node { value, line }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, line: usize) -> Raw {
        let text = match substituted(text, self.variable) {
            Ok(text) => text,
            Err(reference) => {
                let found = format!("the reference {}", quoted(&reference));
                self.problem(line, found, "\"${NAME}\" or \"${NAME:-default}\"; \"$$\" is a dollar sign");
                return Raw::Null;
            }
        };
        match style {
            // The core schema's null.
            ScalarStyle::Plain if text.is_empty() => Raw::Null,
            // The type is that of the replaced value, by the specification.
            ScalarStyle::Plain => resolved(&Scalar::parse_from_cow(Cow::Owned(text))),
            _ => Raw::String(text),
        }
    }

    fn problem(&mut self, line: usize, found: String, expected: &str) {
        let origin = Origin::File { path: self.path.to_owned(), line, key: String::new() };
        self.problems.push(SettingsProblem::new(origin, found, expected));
    }
}

fn resolved(scalar: &Scalar<'_>) -> Raw {
    match scalar {
        Scalar::Null => Raw::Null,
        Scalar::Boolean(value) => Raw::Bool(*value),
        Scalar::Integer(value) => Raw::Integer(*value),
        Scalar::FloatingPoint(value) => Raw::Float(value.into_inner()),
        Scalar::String(value) => Raw::String(value.to_string()),
    }
}
