//! A program creates a Kubernetes job, and the job's process picks the context up by itself.
//!
//! `cargo run -p ctx-service-tests --features carriers --example kubernetes`. It needs no cluster: the job's container is run as a process
//! with the variables that Kubernetes would set.

use ctx_layer::{
    field::well_known::TENANT_ID,
    propagation::{self, Trust, carriers::Prefixed},
};
use ctx_service_tests::{Result, example};
use k8s_openapi::api::{
    batch::v1::Job,
    core::v1::{Container, EnvVar},
};
use tracing::{info, info_span};

/// Creates the job of a report. Its variables stay, and the context is added.
fn job() -> Job {
    let own = EnvVar { name: "REPORT".to_owned(), value: Some("monthly".to_owned()), value_from: None };
    let mut container = Container { name: "report".to_owned(), env: Some(vec![own]), ..Default::default() };
    propagation::inject(container.env.get_or_insert_default());
    let mut job = Job::default();
    // Controllers of Kubernetes read the annotation.
    propagation::inject(&mut Prefixed::kubernetes(job.metadata.annotations.get_or_insert_default()));
    job.spec.get_or_insert_default().template.spec.get_or_insert_default().containers.push(container);
    job
}

fn main() -> Result {
    example::init();
    if std::env::var_os("REPORT").is_some() {
        // The process of the job:
        propagation::from_environment(Trust::internal())
            .in_scope(|| info_span!("report").in_scope(|| info!("written")));
        return Ok(());
    }
    // The program:
    let job = TENANT_ID.in_scope("acme", || {
        info_span!("request").in_scope(|| {
            info!("a job is created");
            job()
        })
    });
    // `Api::<Job>::namespaced(client, "reports").create(&PostParams::default(), &job)`, and Kubernetes starts:
    let pod = job.spec.and_then(|spec| spec.template.spec).ok_or("the job has a pod")?;
    let variables = pod.containers.into_iter().filter_map(|container| container.env).flatten();
    let variables = variables.filter_map(|variable| Some((variable.name, variable.value?.replace("$$", "$"))));
    let status = std::process::Command::new(std::env::current_exe()?).envs(variables).status()?;
    if status.success() { Ok(()) } else { Err("the job failed".into()) }
}
