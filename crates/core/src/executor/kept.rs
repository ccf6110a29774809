//! Rows that the database gave to a migration, kept in the journal so that a rerun gets the same.
//!
//! A migration that looks before it acts (`has_column`, the rows still to be filled) would be told
//! something else after a crash, and would send other statements than those that are done. The rows
//! are kept as the driver had them, and given back by asking the server for these very values, so
//! that a migration reads them as it did the first time.

use sea_orm::QueryResult;
use serde::{Deserialize, Serialize};
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat};
use sqlx::{
    AssertSqlSafe, Column, MySql, Postgres, Row, Sqlite, Type, TypeInfo, Value as _, ValueRef,
};
use stairway_plan::sql::Dialect;

use crate::connection::{Link, Session};

/// Results that are larger are not kept: a rerun asks the database again.
pub(super) const LARGEST: usize = 512 * 1024;

/// Values in one query that gives rows back.
const VALUES_AT_ONCE: usize = 500;

#[derive(Serialize, Deserialize)]
struct Kept {
    columns: Vec<KeptColumn>,
    rows: Vec<Vec<KeptValue>>,
}

#[derive(Serialize, Deserialize)]
struct KeptColumn {
    name: String,
    /// PostgreSQL's number of the type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    oid: Option<u32>,
}

/// A value in a form that both JSON and the driver can take.
#[derive(Clone, Serialize, Deserialize)]
enum KeptValue {
    Null,
    Integer(i64),
    Unsigned(u64),
    Real(f64),
    Text(String),
    Decimal(String),
    /// Hexadecimal.
    Bytes(String),
    /// ISO 8601 without a zone.
    DateTime(String),
    Date(String),
    Time(String),
}

/// The rows as text for the journal. Nothing if they are too large or can't be given back.
pub(super) fn keep(rows: &[QueryResult]) -> Option<String> {
    let mut kept = Kept {
        columns: Vec::new(),
        rows: Vec::new(),
    };
    let mut size = 0;
    for row in rows {
        let values = if let Some(row) = row.try_as_pg_row() {
            if kept.columns.is_empty() {
                kept.columns = row
                    .columns()
                    .iter()
                    .map(|column| KeptColumn {
                        name: column.name().to_owned(),
                        oid: column.type_info().oid().map(|oid| oid.0),
                    })
                    .collect();
            }
            postgres_values(row)?
        } else if let Some(row) = row.try_as_mysql_row() {
            if kept.columns.is_empty() {
                kept.columns = names(row);
            }
            mysql_values(row)?
        } else if let Some(row) = row.try_as_sqlite_row() {
            if kept.columns.is_empty() {
                kept.columns = names(row);
            }
            sqlite_values(row)?
        } else {
            return None;
        };
        size += values.iter().map(KeptValue::size).sum::<usize>();
        if size > LARGEST {
            return None;
        }
        kept.rows.push(values);
    }
    serde_json::to_string(&kept)
        .ok()
        .filter(|text| text.len() <= LARGEST)
}

/// The rows that were kept, in the driver's own form. Nothing if they can't be made of the text.
pub(super) async fn give_back(session: &mut Session, text: &str) -> Option<Vec<QueryResult>> {
    let kept: Kept = serde_json::from_str(text).ok()?;
    let width = kept.columns.len();
    if kept.rows.iter().any(|row| row.len() != width) {
        return None;
    }
    if width == 0 {
        return kept.rows.is_empty().then(Vec::new);
    }
    let mut given = Vec::with_capacity(kept.rows.len());
    for rows in kept.rows.chunks((VALUES_AT_ONCE / width).max(1)) {
        let part = match &mut session.link {
            Link::Postgres(connection) => {
                postgres_rows(&mut *connection, &kept.columns, rows).await
            }
            Link::MySql(connection) => mysql_rows(&mut *connection, &kept.columns, rows).await,
            Link::Sqlite(connection) => sqlite_rows(&mut *connection, &kept.columns, rows).await,
            Link::Abandoned(_) => return None,
        };
        given.extend(part?);
    }
    (given.len() == kept.rows.len()).then_some(given)
}

impl KeptValue {
    fn size(&self) -> usize {
        match self {
            Self::Null => 4,
            Self::Integer(_) | Self::Unsigned(_) | Self::Real(_) => 16,
            Self::Text(text)
            | Self::Decimal(text)
            | Self::Bytes(text)
            | Self::DateTime(text)
            | Self::Date(text)
            | Self::Time(text) => text.len() + 8,
        }
    }
}

fn names<R: Row>(row: &R) -> Vec<KeptColumn> {
    row.columns()
        .iter()
        .map(|column| KeptColumn {
            name: column.name().to_owned(),
            oid: None,
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

/// PostgreSQL's values stay in the wire's own form.
fn postgres_values(row: &sqlx::postgres::PgRow) -> Option<Vec<KeptValue>> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).ok()?;
            if value.is_null() {
                return Some(KeptValue::Null);
            }
            if value.format() != PgValueFormat::Binary {
                return None;
            }
            Some(KeptValue::Bytes(hexadecimal(value.as_bytes().ok()?)))
        })
        .collect()
}

/// A value in the wire's own form, of a type that is known by its number.
struct Wire {
    oid: Oid,
    bytes: Option<Vec<u8>>,
}

impl Type<Postgres> for Wire {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(0))
    }
}

impl Encode<'_, Postgres> for Wire {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        match &self.bytes {
            None => Ok(IsNull::Yes),
            Some(bytes) => {
                buffer.extend_from_slice(bytes);
                Ok(IsNull::No)
            }
        }
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(PgTypeInfo::with_oid(self.oid))
    }
}

async fn postgres_rows(
    connection: &mut sqlx::PgConnection,
    columns: &[KeptColumn],
    rows: &[Vec<KeptValue>],
) -> Option<Vec<QueryResult>> {
    let sql = selection(Dialect::Postgres, columns, rows.len(), |number| {
        format!("${number}")
    });
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for row in rows {
        for (column, value) in columns.iter().zip(row) {
            let bytes = match value {
                KeptValue::Null => None,
                KeptValue::Bytes(text) => Some(from_hexadecimal(text)?),
                _ => return None,
            };
            query = query.bind(Wire {
                oid: Oid(column.oid?),
                bytes,
            });
        }
    }
    let rows = query.fetch_all(connection).await.ok()?;
    Some(rows.into_iter().map(Into::into).collect())
}

fn mysql_values(row: &sqlx::mysql::MySqlRow) -> Option<Vec<KeptValue>> {
    fn get<'row, T: sqlx::Decode<'row, MySql> + Type<MySql>>(
        row: &'row sqlx::mysql::MySqlRow,
        index: usize,
    ) -> Option<T> {
        row.try_get::<T, _>(index).ok()
    }
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).ok()?;
            if value.is_null() {
                return Some(KeptValue::Null);
            }
            let name = value.type_info().name().to_owned();
            Some(match name.as_str() {
                name if name.contains("INT UNSIGNED") || name == "YEAR" || name == "BIT" => {
                    KeptValue::Unsigned(get(row, index)?)
                }
                "BOOLEAN" => KeptValue::Integer(row.try_get_unchecked::<i64, _>(index).ok()?),
                name if name.contains("INT") => KeptValue::Integer(get(row, index)?),
                "FLOAT" => KeptValue::Real(f64::from(get::<f32>(row, index)?)),
                "DOUBLE" => KeptValue::Real(get(row, index)?),
                "DECIMAL" => KeptValue::Decimal(row.try_get_unchecked(index).ok()?),
                "DATETIME" | "TIMESTAMP" => KeptValue::DateTime(
                    row.try_get_unchecked::<chrono::NaiveDateTime, _>(index)
                        .ok()?
                        .format("%Y-%m-%dT%H:%M:%S%.f")
                        .to_string(),
                ),
                "DATE" => KeptValue::Date(get::<chrono::NaiveDate>(row, index)?.to_string()),
                "TIME" => KeptValue::Time(get::<chrono::NaiveTime>(row, index)?.to_string()),
                name if name.contains("BLOB") || name.contains("BINARY") => {
                    KeptValue::Bytes(hexadecimal(&get::<Vec<u8>>(row, index)?))
                }
                name if name.contains("CHAR")
                    || name.contains("TEXT")
                    || matches!(name, "ENUM" | "SET" | "JSON") =>
                {
                    KeptValue::Text(row.try_get_unchecked(index).ok()?)
                }
                _ => return None,
            })
        })
        .collect()
}

async fn mysql_rows(
    connection: &mut sqlx::MySqlConnection,
    columns: &[KeptColumn],
    rows: &[Vec<KeptValue>],
) -> Option<Vec<QueryResult>> {
    // What a column holds where it is not NULL: the result has one type for all rows.
    let kinds: Vec<&KeptValue> = (0..columns.len())
        .map(|index| {
            let mut values = rows.iter().filter_map(|row| row.get(index));
            values
                .find(|value| !matches!(value, KeptValue::Null))
                .unwrap_or(&KeptValue::Null)
        })
        .collect();
    let sql = selection(Dialect::MySql, columns, rows.len(), |number| {
        // A parameter has no precision of its own.
        match kinds.get((number - 1) % columns.len()) {
            Some(KeptValue::Decimal(_)) => "CAST(? AS DECIMAL(65, 30))".to_owned(),
            Some(KeptValue::DateTime(_)) => "CAST(? AS DATETIME(6))".to_owned(),
            _ => "?".to_owned(),
        }
    });
    let mut query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
    for row in rows {
        for (value, kind) in row.iter().zip(&kinds) {
            query = match (value, kind) {
                (KeptValue::Null, KeptValue::Integer(_)) => query.bind(None::<i64>),
                (KeptValue::Null, KeptValue::Unsigned(_)) => query.bind(None::<u64>),
                (KeptValue::Null, KeptValue::Real(_)) => query.bind(None::<f64>),
                (KeptValue::Null, KeptValue::Bytes(_)) => query.bind(None::<Vec<u8>>),
                (KeptValue::Null, KeptValue::Date(_)) => query.bind(None::<chrono::NaiveDate>),
                (KeptValue::Null, KeptValue::Time(_)) => query.bind(None::<chrono::NaiveTime>),
                (KeptValue::Null, _) => query.bind(None::<String>),
                (KeptValue::Integer(number), _) => query.bind(*number),
                (KeptValue::Unsigned(number), _) => query.bind(*number),
                (KeptValue::Real(number), _) => query.bind(*number),
                (KeptValue::Text(text) | KeptValue::Decimal(text), _) => query.bind(text.clone()),
                (KeptValue::Bytes(text), _) => query.bind(from_hexadecimal(text)?),
                (KeptValue::DateTime(text), _) => {
                    query.bind(text.parse::<chrono::NaiveDateTime>().ok()?)
                }
                (KeptValue::Date(text), _) => query.bind(text.parse::<chrono::NaiveDate>().ok()?),
                (KeptValue::Time(text), _) => query.bind(text.parse::<chrono::NaiveTime>().ok()?),
            };
        }
    }
    let rows = query.fetch_all(connection).await.ok()?;
    Some(rows.into_iter().map(Into::into).collect())
}

fn sqlite_values(row: &sqlx::sqlite::SqliteRow) -> Option<Vec<KeptValue>> {
    (0..row.len())
        .map(|index| {
            let value = row.try_get_raw(index).ok()?;
            if value.is_null() {
                return Some(KeptValue::Null);
            }
            let value = value.to_owned();
            // The storage class of this value, whatever the column declares.
            let class = value.type_info().name().to_owned();
            Some(match class.as_str() {
                "INTEGER" | "BOOLEAN" => KeptValue::Integer(value.try_decode_unchecked().ok()?),
                "REAL" => KeptValue::Real(value.try_decode_unchecked().ok()?),
                "BLOB" => {
                    KeptValue::Bytes(hexadecimal(&value.try_decode_unchecked::<Vec<u8>>().ok()?))
                }
                _ => KeptValue::Text(value.try_decode_unchecked().ok()?),
            })
        })
        .collect()
}

async fn sqlite_rows(
    connection: &mut sqlx::SqliteConnection,
    columns: &[KeptColumn],
    rows: &[Vec<KeptValue>],
) -> Option<Vec<QueryResult>> {
    let sql = selection(Dialect::Sqlite, columns, rows.len(), |_| "?".to_owned());
    let mut query = sqlx::query::<Sqlite>(AssertSqlSafe(sql)).persistent(false);
    for value in rows.iter().flatten() {
        query = match value {
            KeptValue::Null => query.bind(None::<i64>),
            KeptValue::Integer(number) => query.bind(*number),
            KeptValue::Real(number) => query.bind(*number),
            KeptValue::Text(text) => query.bind(text.clone()),
            KeptValue::Bytes(text) => query.bind(from_hexadecimal(text)?),
            _ => return None,
        };
    }
    let rows = query.fetch_all(connection).await.ok()?;
    Some(rows.into_iter().map(Into::into).collect())
}

/// `SELECT ? AS a, ? AS b UNION ALL SELECT ?, ?`, with the places numbered from 1.
fn selection(
    dialect: Dialect,
    columns: &[KeptColumn],
    rows: usize,
    place: impl Fn(usize) -> String,
) -> String {
    let selects: Vec<String> = (0..rows)
        .map(|row| {
            let values: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(index, column)| {
                    let value = place(row * columns.len() + index + 1);
                    if row == 0 {
                        format!("{value} AS {}", dialect.quote_identifier(&column.name))
                    } else {
                        value
                    }
                })
                .collect();
            format!("SELECT {}", values.join(", "))
        })
        .collect();
    selects.join(" UNION ALL ")
}
