//! The steps of the command.

use std::{
    fs,
    io::{self, IsTerminal, Write},
    path::Path,
    process::ExitCode,
};

use clap::Parser;
use ctx_check::{
    Check, Report, Settings,
    reader::inputs,
    report::{Baseline, Gates, Share, Violation, html, junit, markdown, sarif, table},
};

use super::{
    arguments::{Arguments, Format, Sql, Subcommand},
    progress::Progress,
};

/// Runs the command, and returns its exit status.
pub(crate) fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Some(Subcommand::Sql(sql)) => print_sql(sql).map(|()| Vec::new()),
        None => judge(&arguments),
    };
    match result {
        Ok(violations) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("ctx-check: {error}");
            ExitCode::from(2)
        }
    }
}

fn print_sql(arguments: &Sql) -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = match &arguments.settings {
        Some(path) => Settings::parse(&path.display().to_string(), &read(path)?)?,
        None => Settings::default(),
    };
    settings.require.extend(arguments.require.iter().cloned());
    settings.check()?;
    print!("{}", ctx_check::sql::clickhouse(&settings, &arguments.table, &arguments.r#where));
    Ok(())
}

fn judge(arguments: &Arguments) -> Result<Vec<Violation>, Box<dyn std::error::Error>> {
    let settings = settings(arguments)?;
    let baseline = match &arguments.baseline {
        Some(path) => Some(Baseline::parse(&read(path)?).map_err(|error| format!("{}: {error}", path.display()))?),
        None => None,
    };
    let files = inputs(&arguments.paths)?;
    let bytes = files.iter().map(ctx_check::reader::Input::size).sum::<Option<u64>>();
    let progress = Progress::new(bytes, arguments.quiet);
    let mut check = Check::new(&settings)?;
    let mut opened = 0;
    for file in &files {
        let name = file.name();
        match file.open() {
            Ok(stream) => {
                check.read(&name, progress.over(stream));
                opened += 1;
            }
            Err(error) => check.unreadable(&name, &error),
        }
        progress.say(format!("{} spans", check.spans()));
    }
    #[cfg(feature = "listen")]
    if !arguments.listen.is_empty() {
        receive(arguments, &settings, &mut check, &progress)?;
        opened += 1;
    }
    progress.say("judging".to_owned());
    let report = check.finish()?;
    progress.end();
    if opened == 0 {
        return Err(
            "there is nothing to read: name files, directories, `-` or an address to listen on; see --help".into()
        );
    }
    let comparison = baseline.as_ref().map(|baseline| baseline.compare(&report));
    let violations = gates(arguments).check(&report, comparison.as_ref());

    let colours = arguments.output.is_none() && io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let written = match arguments.format {
        Format::Table => table(&report, comparison.as_ref(), colours),
        Format::Json => report.json()? + "\n",
        Format::Sarif => serde_json::to_string_pretty(&sarif(&report))? + "\n",
        Format::Junit => junit(&report, &violations),
        Format::Markdown => markdown(&report, &violations, comparison.as_ref()),
        Format::Html => html(&report),
    };
    match &arguments.output {
        Some(path) => write(path, &written)?,
        // A reader like `head` may close it before the end.
        None => drop(io::stdout().write_all(written.as_bytes())),
    }
    if let Some(path) = &arguments.html {
        write(path, &html(&report))?;
    }
    say(&report, &violations);
    Ok(violations)
}

#[cfg(feature = "listen")]
fn receive(arguments: &Arguments, settings: &Settings, check: &mut Check<'_>, progress: &Progress) -> io::Result<()> {
    let listener = ctx_check::listen::Listener::bind(&arguments.listen, settings.limits.document << 20)?;
    for address in listener.addresses() {
        eprintln!("ctx-check: listening on {address}, for gRPC and HTTP");
    }
    listener.receive(arguments.listen_for, |message, number| {
        check.read_message("listen", message, number);
        progress.say(format!("{} spans", check.spans()));
    });
    Ok(())
}

fn say(report: &Report, violations: &[Violation]) {
    if report.summary.spans + report.summary.logs + report.summary.metrics == 0 {
        eprintln!("ctx-check: there are no spans, log records or metrics in what was read");
    }
    for violation in violations {
        eprintln!("ctx-check: failed: {}: {}", violation.gate, violation.found);
    }
}

fn settings(arguments: &Arguments) -> Result<Settings, Box<dyn std::error::Error>> {
    let mut settings = match &arguments.settings {
        Some(path) => Settings::parse(&path.display().to_string(), &read(path)?)?,
        None => Settings::default(),
    };
    for field in &arguments.require {
        if !settings.require.contains(field) {
            settings.require.push(field.clone());
        }
    }
    if let Some(field) = &arguments.no_mixed {
        settings.tenant.clone_from(field);
    }
    for (setting, option) in [(&mut settings.capture.from, &arguments.from), (&mut settings.capture.to, &arguments.to)]
    {
        if option.is_some() {
            setting.clone_from(option);
        }
    }
    settings.check()?;
    Ok(settings)
}

fn gates(arguments: &Arguments) -> Gates {
    let none_missing = (!arguments.require.is_empty()).then_some(Share::Number(0));
    Gates {
        max_orphans: arguments.max_orphans,
        max_broken: arguments.max_broken,
        max_missing: arguments.max_missing.or(none_missing),
        no_mixed: arguments.no_mixed.is_some(),
        no_sensitive: arguments.no_sensitive,
        no_problems: arguments.no_problems,
        fail_on: arguments.fail_on.map(Into::into),
        min_score: arguments.min_score,
        no_worse: arguments.no_worse,
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, content: &str) -> Result<(), String> {
    fs::write(path, content).map_err(|error| format!("{}: {error}", path.display()))
}
