//! The reference application's migrations and entities on real databases, run by plain
//! sea-orm-migration: whatever Stairway adds, the migrations themselves are ordinary.

mod catalogue;
mod data;
mod database;
mod entities;
mod history;
mod rows;
mod schema;
mod sources;
mod stairway;
mod synthetic;

/// Runs each of the named functions as a test on each kind of database.
macro_rules! on_each_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                crate::database::with_database(sea_orm::DbBackend::Sqlite, super::$test).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                crate::database::with_database(sea_orm::DbBackend::Postgres, super::$test).await;
            })+
        }
        mod mysql {
            $(#[tokio::test]
            async fn $test() {
                crate::database::with_database(sea_orm::DbBackend::MySql, super::$test).await;
            })+
        }
    };
}
pub(crate) use on_each_database;
