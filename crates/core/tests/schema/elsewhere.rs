//! Entities and revisions that name a database. On MySQL a name with a database in front is the real
//! table, wherever it stands, so that none may get into a scratch database.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait as _, Schema};
use sea_orm_migration::prelude::*;
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};
use stairway_core::side::{Entities, Side, Sources};
use stairway_core::{DatabaseUrl, MigrationSet};
use stairway_plan::diff::Answers;
use stairway_plan::filter::Filter;

use crate::databases::{Backend, Database};
use crate::every_type::differences;
use crate::reading::name_of;

/// The database of the test, whose name is only known when it runs.
static DATABASE: OnceLock<String> = OnceLock::new();

mod here {
    use sea_orm::entity::prelude::*;

    use super::DATABASE;

    #[derive(Copy, Clone, Default, Debug, DeriveEntity)]
    pub(super) struct Entity;

    impl EntityName for Entity {
        fn table_name(&self) -> &'static str {
            "users"
        }

        fn schema_name(&self) -> Option<&'static str> {
            DATABASE.get().map(String::as_str)
        }
    }

    #[derive(Clone, Debug, PartialEq, Eq, DeriveModel, DeriveActiveModel)]
    pub(super) struct Model {
        pub id: i64,
        pub boss: Option<i64>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveColumn)]
    pub(super) enum Column {
        Id,
        Boss,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DerivePrimaryKey)]
    pub(super) enum PrimaryKey {
        Id,
    }

    impl PrimaryKeyTrait for PrimaryKey {
        type ValueType = i64;

        fn auto_increment() -> bool {
            true
        }
    }

    impl ColumnTrait for Column {
        type EntityName = Entity;

        fn def(&self) -> ColumnDef {
            match self {
                Self::Id => ColumnType::BigInteger.def(),
                Self::Boss => ColumnType::BigInteger.def().null().indexed(),
            }
        }
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod there {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users", schema_name = "stairway_nobody_has_this")]
    pub(super) struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(indexed)]
        pub other: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(super) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The entity that names the compared database is one like any other; that of another database is
/// named and neither made nor missed.
#[tokio::test]
async fn entities_are_sorted_by_the_database_that_they_name() {
    let backend = Backend::Mysql;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    DATABASE.set(name_of(&database)).expect("the only test");
    let made = [
        "CREATE TABLE users (id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, boss bigint, \
         KEY `idx-users-boss` (boss))"
            .to_owned(),
    ];
    database.run(&made).await.expect("a table");
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let mut sources = Sources::new(url.clone());
    sources.entities = Some(Entities::new(|backend| {
        Schema::new(backend)
            .builder()
            .register(here::Entity)
            .register(there::Entity)
    }));
    let compared = differences(&sources, &Side::Database(url), &Side::Entities).await;
    database.drop().await;
    let changes = compared.difference.changes.iter();
    let changes: Vec<&str> = changes.map(|change| change.description.as_str()).collect();
    assert_eq!(changes, Vec::<&str>::new());
    assert_eq!(
        compared.difference.not_compared,
        ["table stairway_nobody_has_this.users of the entities: it lives in a database of its own"]
    );
}

/// Makes a table in the database of that name.
#[derive(Clone)]
struct Qualified(String);

impl MigrationName for Qualified {
    fn name(&self) -> &'static str {
        "m1_qualified"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Qualified {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = format!("CREATE TABLE `{}`.`reached` (id int)", self.0);
        manager
            .get_connection()
            .execute_unprepared(&sql)
            .await
            .map(drop)
    }
}

#[async_trait::async_trait]
impl MigratorTraitSelf for Qualified {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(self.clone())]
    }
}

#[tokio::test]
async fn a_revision_that_names_a_database_is_not_replayed() {
    let backend = Backend::Mysql;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let name = name_of(&database);
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let mut sources = Sources::new(url.clone());
    let migrations = MigrationSet::from_migrator_self(&Qualified(name.clone()));
    sources.migrations = Some(migrations.expect("a graph"));
    let (filter, answers) = (Filter::default(), Answers::new());
    let refused = sources
        .compare(&Side::Revisions, &Side::Database(url), &filter, &answers)
        .await;
    let tables = database.run_script("SHOW TABLES;").expect("a list");
    database.drop().await;
    let refused = refused
        .expect_err("a table of the real database")
        .to_string();
    assert!(
        refused.contains("m1_qualified") && refused.contains(&format!("the database {name}")),
        "{refused}"
    );
    assert_eq!(tables.trim(), "", "the real database was reached");
}
