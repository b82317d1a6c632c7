//! On an `impl` block.

use ctx_layer::with_observability;

struct Profiles;

#[with_observability(name = "profiles", except(lod, new))]
impl Profiles {
    const fn new() -> Self {
        Profiles
    }

    fn load(&self) {}

    #[with_observability(except(load), skip(usr))]
    fn store(&self, user: u8) {
        let _ = user;
    }

    #[with_observability = "find"]
    fn find(&self) {}

    const fn len(&self) -> usize {
        0
    }
}

#[with_observability(except(f))]
fn function() {}

#[with_observability(skip(user), redact = [card, cart], static_attributes = { "": 1 })]
impl Profiles {
    fn with_user(&self, user: u8) {
        let _ = user;
    }

    fn with_card(&self, card: u8) {
        let _ = card;
    }
}

#[with_observability(except{a}, except)]
impl Profiles {
    fn a(&self) {}
}

fn main() {
    let profiles = Profiles::new();
    profiles.load();
    profiles.store(1);
    profiles.find();
    profiles.with_user(1);
    profiles.with_card(1);
    profiles.a();
    function();
    let _ = profiles.len();
}
