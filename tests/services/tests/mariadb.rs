//! A table of jobs in MariaDB, with the context in a column: `bash tests/services/run mariadb`.

use ctx_service_tests::server;
use sqlx::MySqlPool;

ctx_service_tests::jobs! {
    MariaDb, "mariadb", "mariadb", sqlx::MySql, MySqlPool,
    format!("mysql://root@127.0.0.1:{}/test", server::port(3306)),
    create: "CREATE TABLE IF NOT EXISTS jobs (id BIGINT PRIMARY KEY AUTO_INCREMENT, queue VARCHAR(200) NOT NULL, body TEXT NOT NULL,
        context JSON, attempts INT NOT NULL DEFAULT 0, taken DATETIME(6), INDEX (queue, id))",
    insert: "INSERT INTO jobs (queue, body, context) VALUES (?, ?, ?)",
    find: "SELECT id, body, attempts, context FROM jobs
        WHERE queue = ? AND (taken IS NULL OR taken < now(6) - INTERVAL 2 SECOND) ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
    take: "UPDATE jobs SET taken = now(6), attempts = attempts + 1 WHERE id = ?",
    delete: "DELETE FROM jobs WHERE id = ?",
    bury: "UPDATE jobs SET queue = ?, taken = NULL, attempts = 0 WHERE id = ?",
}

ctx_service_tests::scenarios! { MariaDb:
    alone: a_message_survives_a_restart_of_the_database_with_its_context,
    end_to_end => a_consumer_in_another_process_continues_the_trace_with_all_fields,
    redelivery => a_job_of_a_killed_consumer_keeps_its_parent,
    attempts => attempts_are_counted,
    dead_letters => a_dead_letter_keeps_its_context,
    tenants => ten_thousand_jobs_of_a_hundred_tenants_are_not_mixed_up,
    without_context => a_job_without_context_gets_none,
    hostile_context => a_hostile_job_sets_nothing,
    longest_baggage => the_longest_baggage_arrives_whole,
}
