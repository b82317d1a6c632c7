//! How a line is laid out: names, nesting, and how levels, times and ids are written.

use std::borrow::Cow;

use crate::output::naming::{Rename, renamed};

/// A member of a line besides the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Member {
    /// When the event happened.
    Timestamp,
    /// The event's level.
    Level,
    /// The level as a number of OpenTelemetry's `SeverityNumber`. Only [`Format::opentelemetry`] writes it.
    LevelNumber,
    /// The event's target, which is the module that it is in unless the code says otherwise.
    Target,
    /// The message.
    Message,
    /// The span that the event is in.
    Span,
    /// The spans that the event is in, the outermost first.
    Spans,
    /// The file that the event is in.
    File,
    /// The line in that file.
    Line,
    /// The name of the thread.
    ThreadName,
    /// The number of the thread.
    ThreadId,
    /// `true` on a line that was too long.
    Truncated,
    /// The id of the OpenTelemetry trace.
    TraceId,
    /// The id of the OpenTelemetry span.
    SpanId,
    /// The trace flags of the OpenTelemetry span.
    TraceFlags,
}

impl Member {
    pub(super) const ALL: [Member; 15] = [
        Member::Timestamp,
        Member::Level,
        Member::LevelNumber,
        Member::Target,
        Member::Message,
        Member::Span,
        Member::Spans,
        Member::File,
        Member::Line,
        Member::ThreadName,
        Member::ThreadId,
        Member::Truncated,
        Member::TraceId,
        Member::SpanId,
        Member::TraceFlags,
    ];
}

/// A group of members that can be put into an object of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Group {
    /// The target.
    Target,
    /// The context fields and the event's own fields.
    Fields,
    /// File and line.
    Source,
    /// Name and number of the thread.
    Thread,
    /// The ids and flags of the OpenTelemetry span.
    Ids,
    /// The constants.
    Constants,
}

impl Group {
    const COUNT: usize = 6;
}

/// How levels are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Levels {
    /// `INFO`
    Upper,
    /// `info`
    Lower,
    /// The severities of Google Cloud.
    GoogleCloud,
}

/// How times are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    Rfc3339,
    UnixNanos,
}

/// How ids are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// 32 and 16 hexadecimal digits; flags as two.
    Hex,
    /// Returns the same names with flags as a number.
    OpenTelemetry,
    /// The trace with this in front of it; flags as whether the trace is sampled.
    GoogleCloud(String),
    /// The lower 64 bits as decimal numbers.
    Datadog,
}

/// The layout of a line: what its members are called, what is nested, how levels, times and ids are written.
///
/// Begin with a preset, and change what has to differ:
///
/// ```
/// use ctx_layer::output::json::{self, Format, Group, Member};
///
/// let format = Format::plain().name(Member::Timestamp, "ts").nest(Group::Fields, "fields");
/// let layer = json::layer().with_format(format);
/// # drop(layer);
/// ```
///
/// A name that two members would have in one object gets a `_` at its end for the second of them.
#[derive(Clone, Debug)]
#[must_use = "a format does nothing until it is given to a layer"]
pub struct Format {
    names: [Option<Cow<'static, str>>; Member::ALL.len()],
    nested: [Option<Cow<'static, str>>; Group::COUNT],
    renamed: Vec<Rename>,
    pub(super) constants: Vec<(Cow<'static, str>, Cow<'static, str>)>,
    pub(super) levels: Levels,
    pub(super) times: Times,
    pub(super) ids: Ids,
    pub(super) has_members_in_fields: bool,
}

impl Default for Format {
    /// [`Format::plain`].
    fn default() -> Self {
        Format::plain()
    }
}

impl Format {
    /// Creates the format that this crate documents: everything at the top level under plain names.
    pub fn plain() -> Self {
        let mut format = Format {
            names: [const { None }; Member::ALL.len()],
            nested: [const { None }; Group::COUNT],
            renamed: Vec::new(),
            constants: Vec::new(),
            levels: Levels::Upper,
            times: Times::Rfc3339,
            ids: Ids::Hex,
            has_members_in_fields: false,
        };
        for (member, name) in [
            (Member::Timestamp, "timestamp"),
            (Member::Level, "level"),
            (Member::Target, "target"),
            (Member::Message, "message"),
            (Member::Span, "span"),
            (Member::Spans, "spans"),
            (Member::File, "file"),
            (Member::Line, "line"),
            (Member::ThreadName, "thread_name"),
            (Member::ThreadId, "thread_id"),
            (Member::Truncated, "truncated"),
            (Member::TraceId, "trace_id"),
            (Member::SpanId, "span_id"),
            (Member::TraceFlags, "trace_flags"),
        ] {
            format = format.name(member, name);
        }
        format
    }

    /// Creates the format of Elastic Common Schema 8: `@timestamp`, `log.level`, `log.logger`, `trace.id`, ...
    ///
    /// An error under the name `error` is written as `error.message`, since `error` is an object there.
    pub fn ecs() -> Self {
        let format = Format::plain()
            .name(Member::Timestamp, "@timestamp")
            .name(Member::Level, "log.level")
            .name(Member::Target, "log.logger")
            .name(Member::File, "log.origin.file.name")
            .name(Member::Line, "log.origin.file.line")
            .name(Member::ThreadName, "process.thread.name")
            .name(Member::ThreadId, "process.thread.id")
            .name(Member::TraceId, "trace.id")
            .name(Member::SpanId, "span.id")
            .name(Member::Truncated, "labels.truncated")
            .without(Member::TraceFlags)
            .rename_field("error", "error.message");
        Format { constants: vec![("ecs.version".into(), "8.11.0".into())], ..format }
    }

    /// Creates the format of Google Cloud's structured logging: `severity`, `time`, `logging.googleapis.com/trace`, ...
    ///
    /// `project` is the id of the project that traces are in; empty where the logging agent is to find out. Constants are
    /// labels of the entry.
    pub fn google_cloud(project: &str) -> Self {
        let prefix = if project.is_empty() { String::new() } else { format!("projects/{project}/traces/") };
        let format = Format::plain()
            .name(Member::Timestamp, "time")
            .name(Member::Level, "severity")
            .name(Member::TraceId, "logging.googleapis.com/trace")
            .name(Member::SpanId, "logging.googleapis.com/spanId")
            .name(Member::TraceFlags, "logging.googleapis.com/trace_sampled")
            .nest(Group::Source, "logging.googleapis.com/sourceLocation")
            .nest(Group::Constants, "logging.googleapis.com/labels");
        Format { levels: Levels::GoogleCloud, ids: Ids::GoogleCloud(prefix), ..format }
    }

    /// Creates the format of Datadog's standard attributes: `status`, `logger.name`, `dd.trace_id`, ...
    ///
    /// The constants `service.name`, `service.version`, `deployment.environment` and `deployment.environment.name` are written
    /// as `service`, `version` and `env`; an error under the name `error` as `error.message`.
    pub fn datadog() -> Self {
        let format = Format::plain()
            .name(Member::Level, "status")
            .name(Member::Target, "logger.name")
            .name(Member::ThreadName, "logger.thread_name")
            .name(Member::ThreadId, "logger.thread_id")
            .name(Member::TraceId, "dd.trace_id")
            .name(Member::SpanId, "dd.span_id")
            .without(Member::TraceFlags)
            .rename_field("error", "error.message")
            .rename_field("service.name", "service")
            .rename_field("service.version", "version")
            .rename_field("deployment.environment", "env")
            .rename_field("deployment.environment.name", "env");
        Format { levels: Levels::Lower, ids: Ids::Datadog, ..format }
    }

    /// Creates the format of OpenTelemetry's log data model: `Timestamp`, `SeverityText`, `Body`, `Attributes`, `Resource`, ...
    ///
    /// Constants are the resource. Span, source and thread are attributes.
    pub fn opentelemetry() -> Self {
        let format = Format::plain()
            .name(Member::Timestamp, "Timestamp")
            .name(Member::Level, "SeverityText")
            .name(Member::LevelNumber, "SeverityNumber")
            .name(Member::Target, "Name")
            .name(Member::Message, "Body")
            .name(Member::File, "code.file.path")
            .name(Member::Line, "code.line.number")
            .name(Member::ThreadName, "thread.name")
            .name(Member::ThreadId, "thread.id")
            .name(Member::TraceId, "TraceId")
            .name(Member::SpanId, "SpanId")
            .name(Member::TraceFlags, "TraceFlags")
            .nest(Group::Target, "InstrumentationScope")
            .nest(Group::Fields, "Attributes")
            .nest(Group::Constants, "Resource");
        Format { times: Times::UnixNanos, ids: Ids::OpenTelemetry, has_members_in_fields: true, ..format }
    }

    /// Sets the name of a member.
    pub fn name(mut self, member: Member, name: impl Into<Cow<'static, str>>) -> Self {
        self.names[member as usize] = Some(name.into());
        self
    }

    /// Leaves a member out.
    pub fn without(mut self, member: Member) -> Self {
        self.names[member as usize] = None;
        self
    }

    /// Puts a group into an object of this name.
    pub fn nest(mut self, group: Group, name: impl Into<Cow<'static, str>>) -> Self {
        self.nested[group as usize] = Some(name.into());
        self
    }

    /// Puts a group at the top level.
    pub fn flatten(mut self, group: Group) -> Self {
        self.nested[group as usize] = None;
        self
    }

    /// Writes a field, or a constant, under another name.
    pub fn rename_field(mut self, from: impl Into<Cow<'static, str>>, to: impl Into<Cow<'static, str>>) -> Self {
        self.renamed.push((from.into(), to.into()));
        self
    }

    /// Sets whether span, source and thread are written where the [fields](Group::Fields) are. Defaults to `false`, and to `true`
    /// in [`opentelemetry`](Self::opentelemetry).
    pub fn members_in_fields(self, yes: bool) -> Self {
        Format { has_members_in_fields: yes, ..self }
    }

    pub(super) fn name_of(&self, member: Member) -> Option<&str> {
        self.names[member as usize].as_deref()
    }

    pub(super) fn nest_of(&self, group: Group) -> Option<&str> {
        self.nested[group as usize].as_deref()
    }

    /// The name that a field of this name is written under.
    pub(super) fn renamed<'a>(&'a self, name: &'a str) -> &'a str {
        renamed(&self.renamed, name)
    }

    pub(super) fn renames(&self) -> &[Rename] {
        &self.renamed
    }
}
