//! Columns of SQL tables.

use serde_json::Value;
use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError, types::Json};

use crate::propagation::captured::Captured;

/// A JSON column: `JSONB` or `JSON` of PostgreSQL, `JSON` of MySQL and MariaDB, `TEXT` of SQLite. A nullable column is an
/// `Option<Captured>`.
impl<DB: Database> Type<DB> for Captured
where
    Json<Captured>: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Json<Captured> as Type<DB>>::type_info()
    }

    fn compatible(ty: &DB::TypeInfo) -> bool {
        <Json<Captured> as Type<DB>>::compatible(ty)
    }
}

impl<'q, DB: Database> Encode<'q, DB> for Captured
where
    for<'a> Json<&'a Captured>: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut <DB as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <Json<&Captured> as Encode<'q, DB>>::encode(Json(self), buffer)
    }
}

impl<'r, DB: Database> Decode<'r, DB> for Captured
where
    Json<Value>: Decode<'r, DB>,
{
    /// Decodes a value that is not a JSON object as an empty context: a row with a bad context is still a row.
    fn decode(value: <DB as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let stored = <Json<Value> as Decode<'r, DB>>::decode(value).map(|stored| stored.0);
        let strings = stored.as_ref().ok().and_then(Value::as_object).into_iter().flatten();
        Ok(strings.filter_map(|(key, value)| Some((key, value.as_str()?))).collect())
    }
}
