//! A program creates a Kubernetes job, and the job's process continues its trace: `bash tests/services/run kubernetes`. `kmock` runs in place
//! of the API server, and a process with the stored variables in place of the container.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
};

use ctx_layer::{
    FutureFieldsExt,
    field::well_known::TENANT_ID,
    propagation::{self, Trust, carriers::Prefixed},
};
use ctx_service_tests::{
    Result,
    fields::{self, TENANT},
    printed::Printed,
    scenarios::unique,
    server, telemetry, wire, worker,
};
use http_body_util::BodyExt;
use hyper::{Method, Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Container, EnvVar, EnvVarSource, SecretKeySelector},
};
use opentelemetry::trace::TraceContextExt;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tracing::{Instrument, Span, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The value of the secret in a container.
const PASSWORD: &str = "hunter2";

/// Calls the API server.
async fn call(method: Method, path: &str, body: String) -> Result<String> {
    let address = format!("127.0.0.1:{}", server::port(16443));
    let stream = TcpStream::connect(&address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::builder().method(method).uri(path).header("host", address);
    let response = sender.send_request(request.header("content-type", "application/json").body(body)?).await?;
    let status = response.status();
    let body = String::from_utf8(response.into_body().collect().await?.to_bytes().into())?;
    if status.is_success() { Ok(body) } else { Err(format!("{path}: {status}: {body}").into()) }
}

/// Creates a job in the API server. Returns it as it is stored.
async fn create(mut job: Job) -> Result<(Job, String)> {
    let name = unique("report").replace('_', "-");
    job.metadata.name = Some(name.clone());
    let path = "/apis/batch/v1/namespaces/reports/jobs";
    call(Method::POST, path, serde_json::to_string(&job)?).await?;
    let stored = call(Method::GET, &format!("{path}/{name}"), String::new()).await?;
    Ok((serde_json::from_str(&stored)?, stored))
}

/// Returns a job of one container with variables.
fn job_of(env: Vec<EnvVar>) -> Job {
    let mut job = Job::default();
    let container = Container { name: "report".to_owned(), env: Some(env), ..Default::default() };
    job.spec.get_or_insert_default().template.spec.get_or_insert_default().containers.push(container);
    job
}

fn variable(name: &str, value: &str) -> EnvVar {
    EnvVar { name: name.to_owned(), value: Some(value.to_owned()), value_from: None }
}

/// Returns the variables that a container has before the context is added.
fn own_variables() -> Vec<EnvVar> {
    let secret = SecretKeySelector { key: "password".to_owned(), name: "database".to_owned(), optional: None };
    let from = EnvVarSource { secret_key_ref: Some(secret), ..Default::default() };
    let password = EnvVar { name: "PASSWORD".to_owned(), value: None, value_from: Some(from) };
    // What makes the process a worker, and a reference to the secret.
    vec![variable("CTX_WORKER_QUEUE", "report"), password, variable("DATABASE", "user:$(PASSWORD)@database/$$")]
}

fn env_of(job: &Job) -> Result<&Vec<EnvVar>> {
    let pod = job.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).ok_or("the job has a pod")?;
    Ok(pod.containers.first().and_then(|container| container.env.as_ref()).ok_or("the container has variables")?)
}

/// Replaces references to earlier variables as Kubernetes does: `$(NAME)` by a value if there is one, and `$$` by `$`.
fn expanded(value: &str, earlier: &BTreeMap<String, String>) -> String {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let reference = after.strip_prefix('(').and_then(|name| name.split_once(')'));
        rest = match (after.strip_prefix('$'), reference) {
            (Some(after), _) => {
                expanded.push('$');
                after
            }
            (None, Some((name, after))) => {
                expanded.push_str(earlier.get(name).map_or(&format!("$({name})"), |value| value));
                after
            }
            (None, None) => {
                expanded.push('$');
                after
            }
        };
    }
    expanded + rest
}

/// Starts a process with exactly the variables of a job's container, and returns what it printed.
fn run(job: &Job) -> Result<Printed> {
    let mut variables = BTreeMap::new();
    for variable in env_of(job)? {
        let value = match (&variable.value, &variable.value_from) {
            (Some(value), _) => expanded(value, &variables),
            (None, Some(_)) => PASSWORD.to_owned(),
            (None, None) => String::new(),
        };
        variables.insert(variable.name.clone(), value);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["worker", "--exact", "--ignored", "--nocapture"]).env_clear().envs(variables);
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() { Ok(Printed::read(&text)) } else { Err(format!("the job failed: {text}").into()) }
}

/// The process of a job, which the tests start.
#[test]
#[ignore = "a process of the other tests"]
fn worker() -> Result {
    if !worker::is_worker() {
        return Err("only other tests start a worker".into());
    }
    telemetry::install();
    let database = std::env::var("DATABASE").unwrap_or_default();
    propagation::from_environment(Trust::internal())
        .in_scope(|| info_span!(target: "ctx", "report").in_scope(|| info!(target: "ctx", database, "written")));
    Ok(())
}

#[tokio::test]
async fn a_job_continues_the_trace_of_the_program_that_created_it() -> Result {
    telemetry::install();
    let request = async {
        let mut env = own_variables();
        propagation::inject(&mut env);
        let mut job = job_of(env);
        propagation::inject(&mut Prefixed::kubernetes(job.metadata.annotations.get_or_insert_default()));
        let span = Span::current().context().span().span_context().clone();
        Result::Ok((create(job).await?.0, span))
    };
    let (mut job, span) = fields::with_all(request.instrument(info_span!(target: "ctx", "request"))).await?;
    let printed = run(&job)?;
    let line = printed.line("written")?;
    assert_eq!(line["database"], format!("user:{PASSWORD}@database/$"));
    assert_eq!((&line["trace_id"], &line["tenant_id"]), (&json!(span.trace_id().to_string()), &json!(TENANT)));
    assert_eq!((&line["shard"], &line["ratio"], &line["beta"]), (&json!(7), &json!(0.25), &json!(true)));
    let report = printed.span("internal")?;
    assert_eq!((&report["exported"], &report["parent"]), (&json!("report"), &json!(span.span_id().to_string())));
    assert_eq!(report["attributes"]["tenant_id"], TENANT);
    // A controller has the same parent.
    let annotations = job.metadata.annotations.get_or_insert_default();
    let extracted = propagation::extract(&Prefixed::kubernetes(annotations), Trust::internal());
    let parent = extracted.remote().ok_or("the annotations have a parent")?;
    assert_eq!((parent.trace_id(), parent.span_id()), (span.trace_id(), span.span_id()));
    assert_eq!(extracted.fields().get(&TENANT_ID).map(|text| text.as_str()), Some(TENANT));
    Ok(())
}

#[tokio::test]
async fn a_tenant_named_like_a_reference_stays_one_and_shows_no_secret() -> Result {
    telemetry::install();
    for tenant in ["$(PASSWORD)", "$$(PASSWORD)", "$", "a$b", "$(NOTHING)"] {
        let mut env = own_variables();
        async { propagation::inject(&mut env) }.with_field(&TENANT_ID, tenant).await;
        let printed = run(&create(job_of(env)).await?.0)?;
        assert_eq!(printed.line("written")?["tenant_id"], tenant);
    }
    Ok(())
}

#[tokio::test]
async fn the_context_of_another_request_in_a_template_is_replaced() -> Result {
    telemetry::install();
    let mut env = own_variables();
    fields::with_all(async { propagation::inject(&mut env) }.instrument(info_span!(target: "ctx", "another"))).await;
    let names = |env: &[EnvVar]| env.iter().map(|variable| variable.name.clone()).collect::<Vec<_>>();
    let before = names(&env);
    let request = async {
        propagation::inject(&mut env);
        Span::current().context().span().span_context().span_id().to_string()
    };
    let parent = request.instrument(info_span!(target: "ctx", "request")).with_field(&TENANT_ID, "acme").await;
    assert_eq!(names(&env), before);
    let (job, _) = create(job_of(env)).await?;
    let printed = run(&job)?;
    let line = printed.line("written")?;
    assert_eq!((&line["tenant_id"], line.get("shard")), (&json!("acme"), None));
    assert_eq!(printed.span("internal")?["parent"], parent);
    Ok(())
}

#[tokio::test]
async fn hostile_variables_set_nothing() -> Result {
    let zeros = "00-00000000000000000000000000000000-b7ad6b7169203331-01";
    for (parent, baggage) in [(zeros, "tenant_id=a%0Ab"), ("garbage", ",,;=,%"), ("$(PASSWORD)", "x-shard=seven")] {
        let mut env = own_variables();
        env.extend([variable("TRACEPARENT", parent), variable("BAGGAGE", baggage)]);
        let printed = run(&create(job_of(env)).await?.0)?;
        let line = printed.line("written")?;
        assert_eq!((line.get("tenant_id"), line.get("shard")), (None, None), "{parent} {baggage}");
        assert_eq!(printed.span("internal")?["parent"], Value::Null, "{parent} {baggage}");
    }
    Ok(())
}

#[tokio::test]
async fn the_stored_job_is_that_of_the_documentation() -> Result {
    let mut env = Vec::<EnvVar>::new();
    wire::write_documented(&mut env);
    let mut job = job_of(env);
    wire::write_documented(&mut Prefixed::kubernetes(job.metadata.annotations.get_or_insert_default()));
    let (job, stored) = create(job).await?;
    let mut manifest = String::from("metadata:\n  annotations:\n");
    for (key, value) in job.metadata.annotations.iter().flatten() {
        manifest += &format!("    {key}: {value}\n");
        assert!(stored.contains(&format!(r#""{key}": "{value}""#)), "{stored}");
    }
    manifest += "env:\n";
    for variable in env_of(&job)? {
        let value = variable.value.as_deref().unwrap_or_default();
        manifest += &format!("  - name: {}\n    value: {value}\n", variable.name);
        assert!(stored.contains(&format!(r#""value": "{value}""#)), "{stored}");
    }
    assert_eq!(manifest.trim_end(), wire::block(include_str!("../../../docs/messaging/kubernetes.md"), "kubernetes")?);
    Ok(())
}
