//! A table of jobs as a queue, on any database.

/// Implements [`Broker`](crate::broker::Broker) for a table of jobs, on a database that has `FOR UPDATE SKIP LOCKED`.
#[macro_export]
macro_rules! jobs {
    (
        $jobs:ident, $system:literal, $server:literal, $database:ty, $pool:ty, $url:expr,
        create: $create:expr, insert: $insert:expr, find: $find:expr, take: $take:expr, delete: $delete:expr, bury: $bury:expr,
    ) => {
        struct $jobs {
            queue: String,
            pool: $pool,
        }

        impl $crate::broker::Broker for $jobs {
            const SYSTEM: &'static str = $system;
            const SERVER: &'static str = $server;
            const MOVES_DEAD_LETTERS: bool = true;
            type Headers = ctx_layer::propagation::Captured;
            type Delivery = Job;

            async fn connect(queue: &str) -> $crate::Result<Self> {
                let pool = <$pool>::connect(&$url).await?;
                sqlx::query($create).execute(&pool).await?;
                Ok($jobs { queue: queue.to_owned(), pool })
            }

            fn queue(&self) -> &str {
                &self.queue
            }

            async fn send(&self, headers: Self::Headers, body: &str) -> $crate::Result {
                sqlx::query($insert).bind(&self.queue).bind(body).bind(headers).execute(&self.pool).await?;
                Ok(())
            }

            async fn receive(&self) -> $crate::Result<Job> {
                loop {
                    let mut transaction = self.pool.begin().await?;
                    let found: Option<(i64, String, i32, Option<ctx_layer::propagation::Captured>)> =
                        sqlx::query_as($find).bind(&self.queue).fetch_optional(&mut *transaction).await?;
                    if let Some((id, body, attempts, context)) = found {
                        sqlx::query($take).bind(id).execute(&mut *transaction).await?;
                        transaction.commit().await?;
                        let attempt = u32::try_from(attempts)?.saturating_add(1);
                        return Ok(Job {
                            id,
                            body,
                            attempt,
                            context,
                            queue: self.queue.clone(),
                            pool: self.pool.clone(),
                        });
                    }
                    drop(transaction);
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
            }
        }

        struct Job {
            id: i64,
            body: String,
            attempt: u32,
            context: Option<ctx_layer::propagation::Captured>,
            queue: String,
            pool: $pool,
        }

        impl ctx_layer::messaging::Delivery for Job {
            type Error = sqlx::Error;

            fn headers(&self) -> impl ctx_layer::propagation::Carrier {
                self.context.as_ref()
            }

            fn options(&self) -> ctx_layer::messaging::ReceiveOptions {
                ctx_layer::messaging::ReceiveOptions::new().message_id(self.id.to_string()).delivery(self.attempt)
            }

            async fn settle(&self, settlement: ctx_layer::messaging::Settlement) -> sqlx::Result<()> {
                use ctx_layer::messaging::Settlement::*;
                match settlement {
                    Ack => sqlx::query($delete).bind(self.id).execute(&self.pool).await?,
                    // It is taken again after a while.
                    Nack | Requeue => return Ok(()),
                    DeadLetter => {
                        let dead = $crate::broker::dead_letters_of(&self.queue);
                        sqlx::query($bury).bind(dead).bind(self.id).execute(&self.pool).await?
                    }
                };
                Ok(())
            }
        }

        impl $crate::broker::Body for Job {
            fn body(&self) -> String {
                self.body.clone()
            }
        }
    };
}
