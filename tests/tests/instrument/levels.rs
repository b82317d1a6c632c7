use ctx_layer::with_observability;
use tracing::Level;
use tracing::subscriber::with_default;
use tracing_mock::*;

#[test]
fn named_levels() {
    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = "trace")]
    fn trace() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = "Debug")]
    fn debug() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = "INFO")]
    fn info() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = "WARn")]
    fn warn() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = "eRrOr")]
    fn error() {}
    let (subscriber, handle) = subscriber::mock()
        .new_span(expect::span().named("trace").at_level(Level::TRACE))
        .enter(expect::span().named("trace").at_level(Level::TRACE))
        .exit(expect::span().named("trace").at_level(Level::TRACE))
        .new_span(expect::span().named("debug").at_level(Level::DEBUG))
        .enter(expect::span().named("debug").at_level(Level::DEBUG))
        .exit(expect::span().named("debug").at_level(Level::DEBUG))
        .new_span(expect::span().named("info").at_level(Level::INFO))
        .enter(expect::span().named("info").at_level(Level::INFO))
        .exit(expect::span().named("info").at_level(Level::INFO))
        .new_span(expect::span().named("warn").at_level(Level::WARN))
        .enter(expect::span().named("warn").at_level(Level::WARN))
        .exit(expect::span().named("warn").at_level(Level::WARN))
        .new_span(expect::span().named("error").at_level(Level::ERROR))
        .enter(expect::span().named("error").at_level(Level::ERROR))
        .exit(expect::span().named("error").at_level(Level::ERROR))
        .only()
        .run_with_handle();

    with_default(subscriber, || {
        trace();
        debug();
        info();
        warn();
        error();
    });

    handle.assert_finished();
}

#[test]
fn numeric_levels() {
    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = 1)]
    fn trace() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = 2)]
    fn debug() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = 3)]
    fn info() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = 4)]
    fn warn() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = 5)]
    fn error() {}
    let (subscriber, handle) = subscriber::mock()
        .new_span(expect::span().named("trace").at_level(Level::TRACE))
        .enter(expect::span().named("trace").at_level(Level::TRACE))
        .exit(expect::span().named("trace").at_level(Level::TRACE))
        .new_span(expect::span().named("debug").at_level(Level::DEBUG))
        .enter(expect::span().named("debug").at_level(Level::DEBUG))
        .exit(expect::span().named("debug").at_level(Level::DEBUG))
        .new_span(expect::span().named("info").at_level(Level::INFO))
        .enter(expect::span().named("info").at_level(Level::INFO))
        .exit(expect::span().named("info").at_level(Level::INFO))
        .new_span(expect::span().named("warn").at_level(Level::WARN))
        .enter(expect::span().named("warn").at_level(Level::WARN))
        .exit(expect::span().named("warn").at_level(Level::WARN))
        .new_span(expect::span().named("error").at_level(Level::ERROR))
        .enter(expect::span().named("error").at_level(Level::ERROR))
        .exit(expect::span().named("error").at_level(Level::ERROR))
        .only()
        .run_with_handle();

    with_default(subscriber, || {
        trace();
        debug();
        info();
        warn();
        error();
    });

    handle.assert_finished();
}

#[test]
fn enum_levels() {
    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = Level::TRACE)]
    fn trace() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = Level::DEBUG)]
    fn debug() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = tracing::Level::INFO)]
    fn info() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = Level::WARN)]
    fn warn() {}

    #[with_observability(log_args = false, log_result = false, log_errors = false, attributes_from_args = all, level = Level::ERROR)]
    fn error() {}
    let (subscriber, handle) = subscriber::mock()
        .new_span(expect::span().named("trace").at_level(Level::TRACE))
        .enter(expect::span().named("trace").at_level(Level::TRACE))
        .exit(expect::span().named("trace").at_level(Level::TRACE))
        .new_span(expect::span().named("debug").at_level(Level::DEBUG))
        .enter(expect::span().named("debug").at_level(Level::DEBUG))
        .exit(expect::span().named("debug").at_level(Level::DEBUG))
        .new_span(expect::span().named("info").at_level(Level::INFO))
        .enter(expect::span().named("info").at_level(Level::INFO))
        .exit(expect::span().named("info").at_level(Level::INFO))
        .new_span(expect::span().named("warn").at_level(Level::WARN))
        .enter(expect::span().named("warn").at_level(Level::WARN))
        .exit(expect::span().named("warn").at_level(Level::WARN))
        .new_span(expect::span().named("error").at_level(Level::ERROR))
        .enter(expect::span().named("error").at_level(Level::ERROR))
        .exit(expect::span().named("error").at_level(Level::ERROR))
        .only()
        .run_with_handle();

    with_default(subscriber, || {
        trace();
        debug();
        info();
        warn();
        error();
    });

    handle.assert_finished();
}
