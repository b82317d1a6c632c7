//! HTTP and gRPC: real servers and clients on loopback, with their spans and lines.

mod access;
mod at_once;
mod attributes;
mod bodies;
mod client;
mod extractors;
mod grpc;
mod hostile;
mod journey;
mod refused;
mod request;
mod servers;
mod shared;
mod tenants;
mod whole;
