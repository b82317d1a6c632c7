//! Arguments that contradict each other.

use ctx_layer::with_observability;

#[with_observability(skip(user_id), attributes_from_args = { user_id: "user.id", card: "card" })]
fn skipped(user_id: u64, card: &str) {
    let _ = (user_id, card);
}

#[with_observability(redact = [card], name = format!("pay {card}"), fields(number = %card, length = card.len(), ?card))]
fn redacted(card: &str) {
    let _ = card;
}

#[with_observability(redact = [card], reveal = [card], skip(card, card))]
fn revealed(card: &str) {
    let _ = card;
}

#[with_observability(kind = server, fields(otel.kind = "client"))]
fn two_kinds() {}

fn main() {}
