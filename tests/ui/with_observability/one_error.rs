//! One error in the input is reported once, however much the function is used.

use ctx_layer::with_observability;

struct Service {
    users: u8,
}

impl Service {
    #[with_observability(attributes_from_args = { usr_id: "user.id", self.users: "users" }, kind = server)]
    async fn load<T: Clone>(&self, user_id: u64, value: T) -> Result<(u64, T), std::fmt::Error> {
        let _ = self.users;
        Ok((user_id, value.clone()))
    }
}

async fn caller(service: &Service) -> Result<(), std::fmt::Error> {
    let (id, name): (u64, String) = service.load(1, String::new()).await?;
    let _ = (id + 1, name.len());
    Ok(())
}

mod strict {
    #![deny(warnings)]

    use ctx_layer::with_observability;

    #[with_observability(redact{card})]
    pub const fn constant(card: &str) {}

    #[with_observability(skip_all(card))]
    pub fn leaves_no_unused_argument(card: &str) {}
}

fn main() {
    drop(caller(&Service { users: 1 }));
}
