//! The report as one page, which needs nothing else.

use serde_json::{Value, json};

use super::{Report, TraceView};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/script.js");

/// Returns the report as an HTML page without references to anything outside of it.
pub fn html(report: &Report) -> String {
    let mut data = serde_json::to_value(report).unwrap_or_default();
    data["traces"] = report.traces.iter().map(trace).collect();
    // Nothing in the data ends the script that it is in.
    let data = data.to_string().replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let mut page = String::with_capacity(data.len() + PAGE.len() + STYLE.len() + SCRIPT.len());
    for part in PAGE.split_inclusive("}}") {
        match part.split_once("{{") {
            Some((before, "style}}")) => {
                page.push_str(before);
                page.push_str(STYLE);
            }
            Some((before, "script}}")) => {
                page.push_str(before);
                page.push_str(SCRIPT);
            }
            Some((before, "data}}")) => {
                page.push_str(before);
                page.push_str(&data);
            }
            _ => page.push_str(part),
        }
    }
    page
}

/// A trace in few bytes: strings are numbers of a table, and times are relative and in microseconds.
fn trace(trace: &TraceView) -> Value {
    let mut strings: Vec<&str> = Vec::new();
    let mut numbers = std::collections::HashMap::new();
    let mut number = |text| {
        *numbers.entry(text).or_insert_with(|| {
            strings.push(text);
            strings.len() - 1
        })
    };
    let start = trace
        .spans
        .iter()
        .map(|span| span.start)
        .chain(trace.logs.iter().map(|log| log.time).filter(|time| *time > 0))
        .min()
        .unwrap_or_default();
    let relative = |time: u64| (time.saturating_sub(start)) as f64 / 1000.0;
    let spans: Vec<Value> = trace
        .spans
        .iter()
        .map(|span| {
            json!([
                span.span_id.to_string(),
                if span.parent_id.is_none() { String::new() } else { span.parent_id.to_string() },
                number(&span.service),
                number(&span.name),
                number(&span.tenant),
                number(&span.peer),
                span.kind as u8,
                span.status as u8,
                relative(span.start),
                (span.end as f64 - span.start as f64) / 1000.0,
            ])
        })
        .collect();
    let logs: Vec<Value> = trace
        .logs
        .iter()
        .map(|log| {
            let time = if log.time == 0 { Value::Null } else { json!(relative(log.time)) };
            json!([
                log.span_id.to_string(),
                number(&log.service),
                number(&log.tenant),
                number(&log.body),
                time,
                log.severity,
                log.is_event
            ])
        })
        .collect();
    json!({ "id": trace.trace_id, "start": start, "strings": strings, "spans": spans, "logs": logs, "left_out": trace.left_out })
}
