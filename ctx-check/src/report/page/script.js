"use strict";
// Names come from the input: they are set as text, never as markup.
const report = JSON.parse(document.getElementById("data").textContent);
const KINDS = ["", "internal", "server", "client", "producer", "consumer"];
const CONSEQUENCES = {
  orphans: "orphan spans", roots: "traces or roots that start anew", missing_fields: "spans and log records without a field",
  mixed_traces: "traces with two tenants", impossible_times: "spans at impossible times",
};
const ROW = 22;
const byId = (id) => document.getElementById(id);
const make = (tag, attributes = {}, ...content) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "onclick") element.addEventListener("click", value);
    else element.setAttribute(key, value);
  }
  element.append(...content.map((part) => (part instanceof Node ? part : String(part))));
  return element;
};
const draw = (tag, attributes = {}, ...content) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content.map((part) => (part instanceof Node ? part : String(part))));
  return element;
};
// What is between backquotes is a name.
const quoted = (text) => text.split("`").map((part, at) => (at % 2 === 1 ? make("code", {}, part) : part));
const number = (value) => value.toLocaleString("en-US").replaceAll(",", "\u2009");
const time = (nanoseconds) =>
  nanoseconds > 0 ? new Date(nanoseconds / 1e6).toISOString().replace("T", " ").slice(0, 19) + " UTC" : "not known";
const length = (microseconds) => {
  const size = Math.abs(microseconds);
  if (size < 1000) return `${Math.round(microseconds)} \u00b5s`;
  if (size < 1e6) return `${(microseconds / 1000).toFixed(1)} ms`;
  return `${(microseconds / 1e6).toFixed(2)} s`;
};

// The spans of findings' examples, by trace.
const faults = new Map();
report.findings.forEach((finding) => {
  for (const example of finding.examples) {
    if (!faults.has(example.trace_id)) faults.set(example.trace_id, new Map());
    for (const span of example.span_ids.slice(0, 1)) {
      const here = faults.get(example.trace_id);
      here.set(span, [...(here.get(span) ?? []), finding]);
    }
  }
});

const traces = report.traces.map((trace) => {
  const text = (at) => trace.strings[at];
  const spans = trace.spans.map(([id, parent, service, name, tenant, peer, kind, status, start, duration]) => ({
    id, parent, service: text(service), name: text(name), tenant: text(tenant), peer: text(peer), kind, status, start, duration,
    children: [], logs: [], depth: 0, isFolded: false,
  }));
  const ids = new Map(spans.map((span) => [span.id, span]));
  const tops = [];
  for (const span of spans) {
    const parent = ids.get(span.parent);
    if (parent && parent !== span) parent.children.push(span);
    else tops.push(span);
  }
  const loose = [];
  for (const [span, service, tenant, body, at, severity, isEvent] of trace.logs) {
    const log = { isLog: true, id: span, service: text(service), tenant: text(tenant), name: text(body), start: at, severity, isEvent };
    const owner = ids.get(span);
    if (owner) owner.logs.push(log);
    else loose.push(log);
  }
  // What no root leads to, as in a circle, is shown at the top.
  const reached = new Set();
  const reach = (first) => {
    const open = [first];
    while (open.length > 0) {
      const span = open.pop();
      if (reached.has(span)) continue;
      reached.add(span);
      open.push(...span.children);
    }
  };
  tops.forEach(reach);
  for (const span of spans) {
    if (!reached.has(span)) {
      tops.push(span);
      reach(span);
    }
  }
  const tenants = new Set([...spans, ...trace.logs.map((log) => ({ tenant: text(log[2]) }))].map((item) => item.tenant).filter(Boolean));
  const end = Math.max(1, ...spans.slice(0, 50000).map((span) => span.start + Math.max(0, span.duration)));
  return { ...trace, spans, tops, loose, tenants, end, faults: faults.get(trace.id) ?? new Map() };
});

const state = { trace: null, rows: [], current: 0, tenant: "", search: "" };

function showVerdict() {
  const { summary } = report;
  const real = report.findings.filter((finding) => finding.severity !== "note");
  const verdict = byId("verdict");
  verdict.className = real.length > 0 ? "bad" : "good";
  const kinds = new Map();
  for (const finding of real) kinds.set(finding.kind, (kinds.get(finding.kind) ?? 0) + 1);
  const words = [...kinds].slice(0, 4).map(([kind, count]) => `${count} \u00d7 ${kind.replaceAll("_", " ")}`);
  verdict.textContent = real.length === 0 ? "Healthy: context is propagated" : words.join(", ") + (kinds.size > 4 ? ", ..." : "");
  byId("sums").textContent =
    `${number(summary.traces)} traces, ${number(summary.spans)} spans, ${number(summary.logs)} log records of ${report.services.length} services. ` +
    `${number(summary.broken_calls)} of ${number(summary.calls)} calls do not continue their trace, ${number(summary.orphans)} orphans. ` +
    `${time(summary.first)} to ${time(summary.last)}`;
  document.title = `ctx-check: ${verdict.textContent}`;
}

function showFindings() {
  const list = byId("findings");
  list.replaceChildren();
  const search = state.search.toLowerCase();
  let shown = 0;
  for (const finding of report.findings) {
    const where = finding.edge ? `${finding.edge.from} \u2192 ${finding.edge.to}${finding.edge.via && finding.edge.via !== finding.edge.to ? ` (${finding.edge.via})` : ""}` : finding.service;
    if (search && !JSON.stringify(finding).toLowerCase().includes(search)) continue;
    if (++shown > 200) break;
    const rows = [
      ["where", where],
      ["since", finding.first_seen > 0 ? `${time(finding.first_seen)}, last ${time(finding.last_seen)}` : "not known"],
      ["why", finding.cause_words],
    ];
    const consequences = finding.consequences.map(([kind, count]) => `${number(count)} ${CONSEQUENCES[kind] ?? kind}`);
    if (consequences.length > 0) rows.push(["so", consequences.join(", ")]);
    const details = make("dl");
    for (const [term, text] of rows) details.append(make("dt", {}, term), make("dd", {}, ...quoted(text)));
    details.append(make("dt", {}, "do"), make("dd", { class: "do" }, ...quoted(finding.advice)));
    const card = make(
      "article",
      { class: `finding ${finding.severity}` },
      make("h3", {}, make("span", { class: `tag ${finding.severity === "error" ? "bad" : "warn"}` }, finding.severity), ...quoted(finding.message)),
      details,
    );
    const seen = new Set();
    for (const example of finding.examples) {
      const trace = traces.find((known) => known.id === example.trace_id);
      if (trace && !seen.has(trace) && seen.size < 3) {
        seen.add(trace);
        card.append(make("button", { type: "button", onclick: () => openTrace(trace, example.span_ids[0], true) }, `Trace ${trace.id.slice(0, 8)}`));
      }
    }
    list.append(card);
  }
  if (shown === 0) list.append(make("p", { class: "good" }, report.findings.length === 0 ? "Nothing was found that is wrong." : "No finding matches the search."));
}

// Services in columns: each right of the services that call it.
function showMap() {
  const most = 60;
  const weight = (edge) => (edge.broken > 0 ? 1e12 : 0) + edge.connected + edge.broken + edge.failed + edge.excused;
  const edges = [...report.edges].sort((a, b) => weight(b) - weight(a));
  const names = new Set();
  for (const edge of edges) {
    if (names.size < most) {
      names.add(edge.from);
      names.add(edge.to);
    }
  }
  for (const service of report.services) if (names.size < most) names.add(service.name);
  const shown = edges.filter((edge) => names.has(edge.from) && names.has(edge.to));
  const column = new Map([...names].map((name) => [name, 0]));
  for (let round = 0; round < Math.min(names.size, 12); round++) {
    for (const edge of shown) {
      const next = column.get(edge.from) + 1;
      if (edge.from !== edge.to && next > column.get(edge.to) && next < 8) column.set(edge.to, next);
    }
  }
  const columns = [];
  for (const [name, at] of column) (columns[at] ??= []).push(name);
  const filled = columns.filter(Boolean);
  const place = new Map();
  const [width, wide, high] = [150, 260, 74];
  const tallest = Math.max(1, ...filled.map((names) => names.length));
  filled.forEach((names, x) => {
    // Near to what calls them.
    const middle = (name) => {
      const from = shown.filter((edge) => edge.to === name && place.has(edge.from)).map((edge) => place.get(edge.from).y);
      return from.length > 0 ? from.reduce((sum, y) => sum + y, 0) / from.length : 0;
    };
    names.sort((a, b) => middle(a) - middle(b) || (a < b ? -1 : 1));
    names.forEach((name, y) => place.set(name, { x: 20 + x * wide, y: 20 + ((tallest - names.length) / 2 + y) * high }));
  });
  const size = [40 + (filled.length - 1) * wide + width, 40 + (tallest - 1) * high + 40];
  const svg = draw("svg", {
    viewBox: `0 0 ${size[0]} ${size[1]}`,
    width: size[0],
    height: size[1],
    role: "img",
    "aria-label": "Map of the services",
  });
  svg.append(
    draw("defs", {},
      draw("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, draw("path", { d: "M0 0 8 4 0 8", style: "fill: context-stroke; stroke: none" }))));
  const labels = [];
  for (const edge of [...shown].reverse()) {
    const [from, to] = [place.get(edge.from), place.get(edge.to)];
    const isBroken = edge.broken > 0;
    let path;
    let [x, y] = [(from.x + width + to.x) / 2, (from.y + to.y) / 2 + 16];
    if (edge.from === edge.to) {
      path = `M${from.x + width - 30} ${from.y} c 0 -26 -60 -26 -60 0`;
      [x, y] = [from.x + width - 60, from.y - 8];
    } else if (to.x > from.x) {
      path = `M${from.x + width} ${from.y + 20} C ${from.x + width + 60} ${from.y + 20} ${to.x - 60} ${to.y + 20} ${to.x - 2} ${to.y + 20}`;
    } else {
      path = `M${from.x + width / 2} ${from.y + 40} C ${from.x + width / 2} ${from.y + 90} ${to.x + width / 2} ${to.y + 90} ${to.x + width / 2} ${to.y + 42}`;
      [x, y] = [(from.x + to.x + width) / 2, Math.max(from.y, to.y) + 70];
    }
    const line = draw("path", { d: path, class: `${isBroken ? "broken" : ""} ${edge.is_message ? "message" : ""}`, "marker-end": "url(#arrow)" });
    const all = edge.connected + edge.broken;
    line.append(draw("title", {}, `${edge.from} \u2192 ${edge.to} ${edge.via}: ${edge.state}, ${edge.connected} connected, ${edge.broken} broken, ${edge.failed} failed, ${edge.excused} excused`));
    svg.append(line);
    const text = isBroken ? `${number(edge.broken)} of ${number(all)} broken` : edge.state === "connected" ? number(edge.connected) : edge.state;
    labels.push(draw("text", { x, y, "text-anchor": "middle", class: `count ${isBroken ? "broken" : ""}` }, text));
  }
  svg.append(...labels);
  const worst = new Map(report.services.map((service) => [service.name, service.worst ?? "healthy"]));
  const callees = new Set(report.findings.filter((finding) => finding.severity === "error").flatMap((finding) => (finding.edge ? [] : [finding.service])));
  for (const [name, { x, y }] of place) {
    const state = !worst.has(name) ? "outside" : callees.has(name) ? "error" : "";
    const label = name.length > 20 ? `${name.slice(0, 19)}\u2026` : name;
    const service = report.services.find((known) => known.name === name);
    svg.append(
      draw("g", { class: `node ${state}` },
        draw("title", {}, service ? `${name}: ${number(service.spans)} spans, ${number(service.traces)} traces` : `${name}: not in the data`),
        draw("rect", { x, y, width, height: 40 }),
        draw("text", { x: x + width / 2, y: y + 17, "text-anchor": "middle" }, label),
        draw("text", { x: x + width / 2, y: y + 32, "text-anchor": "middle", class: "count" }, service ? `${number(service.spans)} spans` : "outside")));
  }
  byId("map").append(svg);
  if (names.size < column.size || report.services.length > most) {
    byId("map").append(make("figcaption", {}, `The ${names.size} services with the most calls, broken ones first, of ${report.services.length}.`));
  }
}

function matches(trace) {
  if (state.tenant && !trace.tenants.has(state.tenant)) return false;
  const search = state.search.toLowerCase();
  if (!search) return true;
  return trace.id.includes(search) || trace.strings.some((text) => text.toLowerCase().includes(search)) || trace.spans.some((span) => span.id === search);
}

function showList() {
  const list = byId("list");
  list.replaceChildren();
  const found = traces.filter(matches);
  for (const trace of found) {
    const first = trace.tops[0];
    const item = make(
      "li",
      { role: "option", "aria-selected": trace === state.trace, onclick: () => openTrace(trace) },
      make("span", { class: trace.faults.size > 0 ? "bad" : "good" }, trace.faults.size > 0 ? "\u2717 " : "\u2713 "),
      first ? `${first.service} ${first.name}` : "log records",
      make("small", {}, `${trace.id.slice(0, 16)} \u00b7 ${number(trace.spans.length)} spans \u00b7 ${length(trace.end)}${trace.tenants.size > 0 ? ` \u00b7 ${[...trace.tenants].slice(0, 3).join(", ")}` : ""}`),
    );
    list.append(item);
  }
  if (found.length === 0) list.append(make("li", {}, "No trace matches."));
  return found;
}

function flatten() {
  const rows = [];
  if (state.trace) {
    for (const log of state.trace.loose) rows.push({ ...log, depth: 0 });
    const open = [...state.trace.tops].reverse().map((span) => [span, 0]);
    const seen = new Set();
    while (open.length > 0) {
      const [span, depth] = open.pop();
      if (seen.has(span)) continue;
      seen.add(span);
      span.depth = depth;
      rows.push(span);
      if (span.isFolded) continue;
      for (const log of span.logs) rows.push(Object.assign(log, { depth: depth + 1 }));
      for (let at = span.children.length - 1; at >= 0; at--) open.push([span.children[at], depth + 1]);
    }
  }
  state.rows = rows;
  state.current = Math.min(state.current, Math.max(0, rows.length - 1));
  byId("space").style.height = `${rows.length * ROW}px`;
  showRows();
}

// Only the rows that are in sight are in the page.
function showRows() {
  const box = byId("rows");
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 10);
  const last = Math.min(state.rows.length, first + Math.ceil(box.clientHeight / ROW) + 20);
  const rows = [];
  const search = state.search.toLowerCase();
  for (let at = first; at < last; at++) {
    const item = state.rows[at];
    const { trace } = state;
    const faultsHere = item.isLog ? undefined : trace.faults.get(item.id);
    const isFaint = state.tenant && item.tenant !== state.tenant;
    const isFound = search && (item.name.toLowerCase().includes(search) || item.service.toLowerCase().includes(search) || item.id === search);
    const row = make("div", {
      class: `row ${item.isLog ? "log" : ""} ${faultsHere ? "fault" : ""} ${isFaint ? "faint" : ""} ${isFound ? "found" : ""} ${at === state.current ? "current" : ""}`,
      role: "treeitem",
      "aria-level": item.depth + 1,
      style: `top: ${at * ROW}px`,
      onclick: () => { state.current = at; showRows(); },
    });
    if (!item.isLog && item.children.length + item.logs.length > 0) row.setAttribute("aria-expanded", !item.isFolded);
    const name = make("span", { class: "name" });
    name.style.paddingLeft = `${Math.min(item.depth, 30) * 12 + 4}px`;
    if (item.isLog) {
      name.append(item.isEvent ? "\u25c7 " : "\u2261 ", item.name || "(no message)");
    } else {
      const canFold = item.children.length + item.logs.length > 0;
      const fold = make("span", { class: "fold", onclick: (event) => { event.stopPropagation(); state.current = at; item.isFolded = !item.isFolded; flatten(); } }, canFold ? (item.isFolded ? "\u25b8" : "\u25be") : "");
      name.append(fold, faultsHere ? "\u2717 " : "", make("span", { class: "service" }, item.service), ` ${item.name}`);
    }
    name.title = item.name;
    const lane = make("span", { class: "lane" });
    const part = (microseconds) => Math.min(100, Math.max(0, (microseconds / trace.end) * 100));
    if (item.isLog) {
      if (item.start !== null) lane.append(make("span", { class: "dot", style: `left: ${part(item.start)}%` }));
    } else {
      const width = Math.max(0, part(item.start + item.duration) - part(item.start));
      lane.append(make("span", { class: `bar ${item.status === 2 ? "failed" : ""}`, style: `left: ${part(item.start)}%; width: ${width}%` }));
      const end = part(item.start) + width;
      lane.append(make("span", { class: "time", style: end < 85 ? `left: calc(${end}% + 6px)` : `right: calc(${100 - part(item.start)}% + 6px)` }, length(item.duration)));
    }
    row.append(name, lane);
    rows.push(row);
  }
  byId("space").replaceChildren(...rows);
  showDetail();
}

function showDetail() {
  const item = state.rows[state.current];
  const detail = byId("detail");
  detail.replaceChildren();
  if (!item) return;
  const parts = item.isLog
    ? [item.isEvent ? "event" : "log record", item.service, item.name, item.tenant && `tenant ${item.tenant}`, `span ${item.id}`]
    : [item.service, KINDS[item.kind], item.name, item.peer && `to ${item.peer}`, item.tenant && `tenant ${item.tenant}`, `span ${item.id}`, item.parent ? `parent ${item.parent}` : "root", `at ${length(item.start)}`, `took ${length(item.duration)}`];
  detail.append(parts.filter(Boolean).join(" \u00b7 "));
  for (const finding of (!item.isLog && state.trace.faults.get(item.id)) || []) detail.append(make("div", { class: "bad" }, ...quoted(`\u2717 ${finding.message}: ${finding.cause_words}`)));
}

function openTrace(trace, span, isWanted = false) {
  state.trace = trace;
  state.current = 0;
  const title = byId("title");
  title.replaceChildren();
  byId("ruler").replaceChildren();
  if (trace) {
    title.append(`Trace ${trace.id}, ${number(trace.spans.length)} spans, ${number(trace.logs.length)} log records and events, ${length(trace.end)}`);
    if (trace.left_out > 0) title.append(make("div", { class: "warn" }, `${number(trace.left_out)} more spans are not shown.`));
    for (const part of [0, 0.25, 0.5, 0.75]) byId("ruler").append(make("span", { style: `left: ${part * 100}%` }, length(trace.end * part)));
  }
  byId("rows").scrollTop = 0;
  flatten();
  const fault = span ?? (trace && [...trace.faults.keys()][0]);
  const at = state.rows.findIndex((row) => !row.isLog && row.id === fault);
  if (at >= 0) go(at);
  for (const item of byId("list").children) item.setAttribute("aria-selected", "false");
  showList();
  if (isWanted) {
    byId("traces").scrollIntoView({ block: "start" });
    byId("rows").focus({ preventScroll: true });
  }
}

function go(at) {
  state.current = Math.min(Math.max(0, at), Math.max(0, state.rows.length - 1));
  const box = byId("rows");
  const top = state.current * ROW;
  if (top < box.scrollTop || top + ROW > box.scrollTop + box.clientHeight) box.scrollTop = Math.max(0, top - box.clientHeight / 3);
  showRows();
}

function fold(isFolded) {
  const item = state.rows[state.current];
  if (!item) return;
  if (!item.isLog && item.isFolded !== isFolded && item.children.length + item.logs.length > 0) {
    item.isFolded = isFolded;
    flatten();
  } else if (isFolded) {
    // To the parent.
    for (let at = state.current - 1; at >= 0; at--) if (state.rows[at].depth < item.depth) return go(at);
  } else go(state.current + 1);
}

function table(place, head, rows) {
  const body = make("tbody");
  for (const row of rows) {
    body.append(make("tr", {}, ...row.map((cell) => make("td", typeof cell === "number" ? { class: "number" } : {}, cell instanceof Node ? cell : typeof cell === "number" ? number(cell) : (cell ?? "")))));
  }
  place.append(make("table", {}, make("thead", {}, make("tr", {}, ...head.map((title) => make("th", {}, title)))), body));
}

function showTables() {
  const colour = (word) => make("span", { class: word === "error" || word === "broken" ? "bad" : word === "healthy" || word === "connected" ? "good" : word === "warning" ? "warn" : "" }, word);
  const missing = (service) => Object.entries(service.missing).map(([field, count]) => `${field} ${number(count)}`).join(", ");
  table(byId("services"), ["service", "verdict", "traces", "spans", "log records", "orphans", "missing fields", "score"],
    report.services.map((service) => [service.name, colour(service.worst ?? "healthy"), service.traces, service.spans, service.logs, service.orphans, missing(service), service.score === null ? "-" : service.score.toFixed(0)]));
  table(byId("edges"), ["from", "to", "via", "edge", "connected", "broken", "failed", "excused"],
    report.edges.slice(0, 1000).map((edge) => [edge.from, edge.to, `${edge.via}${edge.is_message ? " (messages)" : ""}`, colour(edge.state), edge.connected, edge.broken, edge.failed, edge.excused]));
  const scores = byId("scores");
  if (report.scores.some((score) => !score.is_complete)) {
    const left = new Set(report.scores.flatMap((score) => score.rules.filter((rule) => rule.outcome === "not_computed").map((rule) => rule.rule_id)));
    scores.append(make("p", {}, `By the instrumentation-score specification. The scores might not be complete: ${[...left].sort().join(", ")} were not computed.`));
  }
  table(scores, ["service", "score", "category", "broken rules"],
    report.scores.map((score) => [score.service, score.score === null ? "-" : score.score.toFixed(1), score.category, score.rules.filter((rule) => rule.outcome === "failed").map((rule) => `${rule.rule_id} (${rule.why})`).join("; ")]));
  const input = byId("input");
  const { summary } = report;
  input.append(make("p", {}, `${number(summary.files)} files, ${number(summary.bytes)} bytes, ${number(summary.repeated_spans)} repeated spans, ${number(summary.excused_orphans)} excused orphans, ${number(summary.problems)} problems.`));
  if (report.problems.length > 0) table(input, ["file", "line", "column", "problem"], report.problems.map((problem) => [problem.file, problem.line, problem.column, problem.what]));
  if (report.deviations.length > 0) table(input, ["deviation", "count", "first"], report.deviations.map((deviation) => [deviation.words, deviation.count, `${deviation.file}:${deviation.line}`]));
  if (report.fields.length > 0) table(input, ["service", "field", "values, about"], report.fields.map((field) => [field.service, field.field, field.values]));
}

function theme(name) {
  document.documentElement.dataset.theme = name;
}

const next = (step) => {
  const found = traces.filter(matches);
  const trace = found[(found.indexOf(state.trace) + step + found.length) % found.length];
  if (trace) openTrace(trace);
};
const HELP = [
  ["/", "search", () => byId("search").focus()],
  ["t", "filter by tenant", () => byId("tenant").focus()],
  ["d", "dark or light", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark")],
  ["n", "next trace", () => next(1)],
  ["p", "previous trace", () => next(-1)],
  ["j", "next row", () => go(state.current + 1)],
  ["k", "previous row", () => go(state.current - 1)],
  ["ArrowDown", "next row", () => go(state.current + 1)],
  ["ArrowUp", "previous row", () => go(state.current - 1)],
  ["ArrowRight", "unfold", () => fold(false)],
  ["ArrowLeft", "fold, or to the parent", () => fold(true)],
  ["Enter", "fold or unfold", () => { const item = state.rows[state.current]; if (item && !item.isLog) { item.isFolded = !item.isFolded; flatten(); } }],
  ["x", "next span with a fault", () => { const at = state.rows.findIndex((row, at) => at > state.current && !row.isLog && state.trace.faults.has(row.id)); if (at >= 0) go(at); }],
  ["?", "these keys", () => byId("help").showModal()],
];
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const inField = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
  if (inField) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  // Keys that scroll the page or press buttons do so, but in the trace.
  const isOfRows = event.key.startsWith("Arrow") || event.key === "Enter";
  if (isOfRows && !byId("rows").contains(document.activeElement)) return;
  const entry = HELP.find(([key]) => key === event.key);
  if (entry && !byId("help").open) {
    event.preventDefault();
    entry[2]();
  }
});

byId("help").append(make("h2", {}, "Keys"), make("table", {}, ...HELP.map(([key, what]) => make("tr", {}, make("td", {}, make("kbd", {}, key)), make("td", {}, what)))), make("button", { type: "button", onclick: () => byId("help").close() }, "Close"));
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("theme").addEventListener("click", HELP[2][2]);
byId("search").addEventListener("input", (event) => { state.search = event.target.value.trim(); showFindings(); showList(); showRows(); });
byId("rows").addEventListener("scroll", showRows, { passive: true });
const tenants = [...new Set(traces.flatMap((trace) => [...trace.tenants]))].sort();
byId("tenant").append(make("option", { value: "" }, "all"), ...tenants.map((tenant) => make("option", { value: tenant }, tenant)));
byId("tenant").addEventListener("change", (event) => {
  state.tenant = event.target.value;
  const found = showList();
  if (!found.includes(state.trace)) openTrace(found[0] ?? null);
  else showRows();
});
theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
showVerdict();
showFindings();
showMap();
showTables();
openTrace(traces[0] ?? null);
