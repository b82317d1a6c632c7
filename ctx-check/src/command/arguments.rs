//! The arguments of the command.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use ctx_check::{finding::Severity, report::Share};

/// Judges from traces and logs whether context propagation works in a system.
///
/// Reads OTLP (JSON and Protocol Buffers, as the Collector's file exporter and others write them), the JSON of Jaeger and Zipkin, and
/// JSON log lines; also gzip and Zstandard. Exit status: 0 if all gates hold, 1 if one does not, 2 if nothing could be judged.
#[derive(Debug, Parser)]
#[command(name = "ctx-check", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,

    /// Files and directories; `-` is standard input
    #[arg(value_name = "PATH", required = !cfg!(feature = "listen"))]
    pub(super) paths: Vec<PathBuf>,

    /// Receive OTLP over gRPC and HTTP here, also several times: 127.0.0.1:4317
    #[cfg(feature = "listen")]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Vec<std::net::SocketAddr>,

    /// How long to receive: 60s, 5m; until ctrl-c if not given
    #[cfg(feature = "listen")]
    #[arg(long, value_name = "TIME", requires = "listen", value_parser = duration)]
    pub(super) listen_for: Option<std::time::Duration>,

    /// The settings: own addresses, queues, exempt services, limits, own rules
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,

    /// How to write the report
    #[arg(long, value_enum, default_value = "table")]
    pub(super) format: Format,

    /// The file to write it to; standard output if not given
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Also write the HTML page
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,

    /// A field that spans and log records must have; may be given several times. The gate fails if one lacks it
    #[arg(long, value_name = "FIELD")]
    pub(super) require: Vec<String>,

    /// How many required fields may be missing: `5` or `0.1%`
    #[arg(long, value_name = "LIMIT", value_parser = Share::parse)]
    pub(super) max_missing: Option<Share>,

    /// How many spans may be orphans: `5` or `0.1%`
    #[arg(long, value_name = "LIMIT", value_parser = Share::parse)]
    pub(super) max_orphans: Option<Share>,

    /// How many calls and messages may not continue their trace: `5` or `0.1%`
    #[arg(long, value_name = "LIMIT", value_parser = Share::parse)]
    pub(super) max_broken: Option<Share>,

    /// No trace may have two values of this field
    #[arg(long, value_name = "FIELD")]
    pub(super) no_mixed: Option<String>,

    /// There may be no sensitive values
    #[arg(long)]
    pub(super) no_sensitive: bool,

    /// Everything must be readable
    #[arg(long)]
    pub(super) no_problems: bool,

    /// There may be no finding of this severity or a worse one
    #[arg(long, value_enum, value_name = "SEVERITY")]
    pub(super) fail_on: Option<FailOn>,

    /// The least instrumentation score of each service
    #[arg(long, value_name = "SCORE")]
    pub(super) min_score: Option<f64>,

    /// A report from before, written with `--format json`
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,

    /// Nothing may be new or worse than in the baseline
    #[arg(long, requires = "baseline")]
    pub(super) no_worse: bool,

    /// The start of the capture: 2026-11-27T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(super) from: Option<String>,

    /// The end of the capture
    #[arg(long, value_name = "TIME")]
    pub(super) to: Option<String>,

    /// No progress bar
    #[arg(long, short)]
    pub(super) quiet: bool,
}

/// The other commands.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Prints the rules as SQL, for spans that are in a database already
    Sql(Sql),
}

/// The arguments of `ctx-check sql`.
#[derive(Debug, Args)]
pub(super) struct Sql {
    /// For the tables of the Collector's ClickHouse exporter
    #[arg(long, required = true)]
    clickhouse: bool,

    /// The table of the spans
    #[arg(long, default_value = "otel_traces")]
    pub(super) table: String,

    /// Which spans: `Timestamp > now() - INTERVAL 1 HOUR`
    #[arg(long, value_name = "CONDITION", default_value = "1")]
    pub(super) r#where: String,

    /// The settings, of which the tenant, the required fields and the exempt spans are used
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,

    /// A field that spans must have; may be given several times
    #[arg(long, value_name = "FIELD")]
    pub(super) require: Vec<String>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// Tables for a terminal
    Table,
    /// A record for each finding
    Json,
    /// For code scanning
    Sarif,
    /// For CI
    Junit,
    /// For a pull request
    Markdown,
    /// One page with a map and waterfalls
    Html,
}

/// How bad a finding must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Errors
    Error,
    /// Errors and warnings
    Warning,
    /// Anything
    Note,
}

impl From<FailOn> for Severity {
    fn from(severity: FailOn) -> Self {
        match severity {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Note => Self::Note,
        }
    }
}

#[cfg(feature = "listen")]
fn duration(text: &str) -> Result<std::time::Duration, String> {
    let parsed = ctx_check::settings::Duration::parse(text);
    let nanoseconds =
        parsed.ok_or_else(|| format!("found {text:?}, expected a duration like 500ms, 60s or 5m"))?.nanoseconds();
    Ok(std::time::Duration::from_nanos(nanoseconds))
}
