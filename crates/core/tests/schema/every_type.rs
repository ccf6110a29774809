//! Every column type and attribute of SeaORM: the entities are made as SeaORM makes them, read back
//! and compared with themselves, and there is nothing to do.

#![allow(unreachable_pub, reason = "entities are public as in every project")]

use sea_orm::{DbBackend, Schema, SchemaBuilder};
use stairway_core::DatabaseUrl;
use stairway_core::side::{Compared, Entities, Side, Sources};
use stairway_plan::diff::Answers;
use stairway_plan::filter::Filter;

use crate::databases::{Backend, Database};

/// What every database has.
mod everything {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "colour")]
    pub enum Colour {
        #[sea_orm(string_value = "red")]
        Red,
        #[sea_orm(string_value = "sea green")]
        Green,
    }

    #[derive(Clone, Debug, PartialEq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i32", db_type = "Integer")]
    pub enum Level {
        #[sea_orm(num_value = 1)]
        Low,
        #[sea_orm(num_value = 2)]
        High,
    }

    #[derive(Clone, Debug, PartialEq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::N(8))")]
    pub enum Word {
        #[sea_orm(string_value = "a")]
        A,
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "everything", comment = "it's one of \"each\"")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub tiny: i8,
        pub small: i16,
        pub whole: i32,
        #[sea_orm(indexed)]
        pub big: i64,
        pub tiny_unsigned: u8,
        pub small_unsigned: u16,
        pub whole_unsigned: u32,
        pub real: f32,
        pub double: f64,
        #[sea_orm(default_value = true)]
        pub truth: bool,
        #[sea_orm(unique)]
        pub name: String,
        #[sea_orm(default_value = "it's")]
        pub with_default: String,
        #[sea_orm(default_value = 7)]
        pub number_with_default: i32,
        #[sea_orm(default_value = "")]
        pub empty_default: String,
        #[sea_orm(column_type = "Text", nullable)]
        pub text: Option<String>,
        #[sea_orm(column_type = "Char(Some(3))")]
        pub three: String,
        #[sea_orm(column_type = "String(StringLen::N(40))", comment = "a note: \\ it's")]
        pub forty: String,
        #[sea_orm(column_type = "Decimal(Some((12, 4)))")]
        pub price: Decimal,
        pub plain_decimal: Option<Decimal>,
        #[sea_orm(column_type = "Money(None)", nullable)]
        pub money: Option<String>,
        pub day: Date,
        pub time: Time,
        #[sea_orm(default_expr = "Expr::current_timestamp()")]
        pub at: DateTime,
        pub at_utc: DateTimeUtc,
        pub at_zone: Option<DateTimeWithTimeZone>,
        #[sea_orm(column_type = "Timestamp", nullable)]
        pub stamp: Option<DateTime>,
        pub uuid: Uuid,
        pub json: Json,
        #[sea_orm(column_type = "JsonBinary", nullable)]
        pub json_binary: Option<Json>,
        pub bytes: Vec<u8>,
        #[sea_orm(column_type = "Binary(16)")]
        pub sixteen: Vec<u8>,
        #[sea_orm(column_type = "VarBinary(StringLen::N(32))")]
        pub some_bytes: Vec<u8>,
        #[sea_orm(column_type = "Blob", nullable)]
        pub blob: Option<Vec<u8>>,
        pub colour: Colour,
        #[sea_orm(default_value = "red")]
        pub other_colour: Colour,
        pub level: Level,
        pub word: Option<Word>,
        #[sea_orm(column_name = "type", unique_key = "pair")]
        pub kind: i32,
        #[sea_orm(unique_key = "pair")]
        pub order: i32,
        #[sea_orm(extra = "CHECK (checked > 0)")]
        pub checked: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A composite key that counts nothing, and foreign keys with actions, one of them to itself.
mod part {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "part")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub whole_id: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub place: i32,
        #[sea_orm(unique)]
        pub number: i32,
        pub next: Option<i32>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::everything::Entity",
            from = "Column::WholeId",
            to = "super::everything::Column::Id",
            on_delete = "Cascade",
            on_update = "Cascade"
        )]
        Whole,
        #[sea_orm(
            belongs_to = "Entity",
            from = "Column::Next",
            to = "Column::Number",
            on_delete = "SetNull"
        )]
        Next,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A key that is no number.
mod keyed {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "keyed by text")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub code: String,
        pub id: Uuid,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod postgres_only {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "postgres_only")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub words: Vec<String>,
        pub numbers: Option<Vec<i32>>,
        pub colours: Vec<super::everything::Colour>,
        #[sea_orm(column_type = "Cidr")]
        pub net: String,
        #[sea_orm(column_type = "Inet", nullable)]
        pub address: Option<String>,
        #[sea_orm(column_type = "MacAddr")]
        pub mac: String,
        #[sea_orm(column_type = "Interval(None, None)")]
        pub span: String,
        #[sea_orm(column_type = "Bit(Some(3))")]
        pub bits: String,
        #[sea_orm(column_type = "VarBit(5)")]
        pub some_bits: String,
        #[sea_orm(column_type = "custom(\"tsvector\")")]
        pub search: String,
        #[sea_orm(column_type = "custom(\"int4range\")")]
        pub range: String,
        pub whole_id: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        // sea-orm makes the enum with the table that has it, so that one must come first.
        #[sea_orm(
            belongs_to = "super::everything::Entity",
            from = "Column::WholeId",
            to = "super::everything::Column::Id"
        )]
        Whole,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod mysql_only {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "mysql_only")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: u32,
        pub big_unsigned: u64,
        #[sea_orm(column_type = "Year")]
        pub year: String,
        #[sea_orm(column_type = "Bit(Some(3))")]
        pub bits: String,
        #[sea_orm(column_type = "custom(\"mediumtext\")", nullable)]
        pub medium: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A column that had another name.
mod renamed {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "people")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(renamed_from = "name")]
        pub whole_title: String,
        #[sea_orm(renamed_from = "old_note", comment = "it's a note")]
        pub note: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Nobody is asked about a rename that the entity states, and no comment is made of it.
async fn try_renamed(backend: Backend) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let connection = sea_orm::Database::connect(&database.url)
        .await
        .expect("a connection");
    let builder = |backend: DbBackend| Schema::new(backend).builder().register(renamed::Entity);
    let made = builder(connection.get_database_backend())
        .apply(&connection)
        .await;
    connection.close().await.expect("a closed connection");
    made.expect("tables for the entities");
    // As they were before, and without the comments that sea-orm makes of the names.
    let back: &[&str] = match backend {
        Backend::Mysql => &[
            "ALTER TABLE people CHANGE COLUMN whole_title name varchar(255) NOT NULL",
            "ALTER TABLE people CHANGE COLUMN note old_note varchar(255) COMMENT 'it''s a note'",
        ],
        Backend::Postgres | Backend::Sqlite => &[
            "ALTER TABLE people RENAME COLUMN whole_title TO name",
            "ALTER TABLE people RENAME COLUMN note TO old_note",
        ],
    };
    let back: Vec<String> = back.iter().map(|sql| (*sql).to_owned()).collect();
    database.run(&back).await.expect("the old names");
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let mut sources = Sources::new(url.clone());
    sources.entities = Some(Entities::new(builder));
    let compared = differences(&sources, &Side::Database(url), &Side::Entities).await;
    let changes = compared.difference.changes.iter();
    let changes: Vec<String> = changes.map(|change| change.description.clone()).collect();
    database.drop().await;
    assert_eq!(
        changes,
        [
            "~ column people.name renamed to whole_title",
            "~ column people.old_note renamed to note"
        ]
    );
}

#[tokio::test]
async fn a_rename_that_the_entity_states_is_one_on_postgres() {
    try_renamed(Backend::Postgres).await;
}

#[tokio::test]
async fn a_rename_that_the_entity_states_is_one_on_mysql() {
    try_renamed(Backend::Mysql).await;
}

#[tokio::test]
async fn a_rename_that_the_entity_states_is_one_on_sqlite() {
    try_renamed(Backend::Sqlite).await;
}

pub(crate) fn schema(backend: DbBackend) -> SchemaBuilder {
    let builder = Schema::new(backend)
        .builder()
        .register(everything::Entity)
        .register(part::Entity)
        .register(keyed::Entity);
    match backend {
        DbBackend::Postgres => builder.register(postgres_only::Entity),
        DbBackend::MySql => builder.register(mysql_only::Entity),
        _ => builder,
    }
}

/// Beside the entities, what they have no words for.
pub(crate) fn beside(_: DbBackend) -> Vec<&'static str> {
    vec![
        "CREATE INDEX everything_big_whole ON everything (big DESC, whole)",
        "CREATE VIEW big_ones AS SELECT id, big FROM everything WHERE big > 100",
    ]
}

pub(crate) async fn differences(sources: &Sources, from: &Side, to: &Side) -> Compared {
    let (filter, answers) = (Filter::default(), Answers::new());
    sources
        .compare(from, to, &filter, &answers)
        .await
        .expect("a comparison")
}

async fn try_on(backend: Backend) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let connection = sea_orm::Database::connect(&database.url)
        .await
        .expect("a connection");
    let made = schema(connection.get_database_backend())
        .apply(&connection)
        .await;
    let declared: Vec<String> = beside(connection.get_database_backend())
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    connection.close().await.expect("a closed connection");
    made.expect("tables for the entities");
    database.run(&declared).await.expect("what is beside them");
    let url = DatabaseUrl::parse(&database.url).expect("a URL");
    let mut sources = Sources::new(url.clone());
    sources.entities = Some(Entities::new(schema).after_tables(beside));
    let mut found = Vec::new();
    let sides = [Side::Database(url), Side::Entities];
    for [from, to] in [[0, 1], [1, 0]] {
        let compared = differences(&sources, &sides[from], &sides[to]).await;
        assert!(compared.to.tables.len() >= 3, "what is compared was read");
        let changes = compared.difference.changes.into_iter();
        found.extend(changes.map(|change| format!("{}: {:?}", change.description, change.sql)));
    }
    database.drop().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn every_type_and_attribute_is_the_same_when_read_back_on_postgres() {
    try_on(Backend::Postgres).await;
}

#[tokio::test]
async fn every_type_and_attribute_is_the_same_when_read_back_on_mysql() {
    try_on(Backend::Mysql).await;
}

#[tokio::test]
async fn every_type_and_attribute_is_the_same_when_read_back_on_sqlite() {
    try_on(Backend::Sqlite).await;
}

/// A user that may make schemas and no databases gets the same answer, and is told how it came about;
/// so does one that may not even make a schema.
#[tokio::test]
async fn entities_are_compared_without_the_right_to_make_databases() {
    let backend = Backend::Postgres;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let (base, name) = database.url.rsplit_once('/').expect("a database");
    let user = format!("{name}_user");
    database
        .run(&[
            format!("CREATE ROLE {user} LOGIN PASSWORD 'secret'"),
            format!("GRANT CREATE ON DATABASE {name} TO {user}"),
            format!("GRANT ALL ON SCHEMA public TO {user}"),
        ])
        .await
        .expect("a user");
    let host = base.rsplit_once('@').map_or(base, |(_, host)| host);
    let host = host.rsplit_once("//").map_or(host, |(_, host)| host);
    let own = format!("postgres://{user}:secret@{host}/{name}");
    let connection = sea_orm::Database::connect(&own)
        .await
        .expect("a connection");
    let made = schema(DbBackend::Postgres).apply(&connection).await;
    connection.close().await.expect("a closed connection");
    made.expect("tables for the entities");
    let url = DatabaseUrl::parse(&own).expect("a URL");
    let mut sources = Sources::new(url.clone());
    sources.entities = Some(Entities::new(schema).after_tables(beside));
    let compared = differences(&sources, &Side::Database(url.clone()), &Side::Entities).await;
    let changes = compared.difference.changes.iter();
    let changes: Vec<String> = changes.map(|change| change.description.clone()).collect();
    // Temporary tables are everybody's; what can't be tried out with them is named and left alone.
    let denied = [format!("REVOKE CREATE ON DATABASE {name} FROM {user}")];
    database.run(&denied).await.expect("fewer rights");
    let temporary = differences(&sources, &Side::Database(url.clone()), &Side::Entities).await;
    let other_way = differences(&sources, &Side::Entities, &Side::Database(url.clone())).await;
    let nothing = [format!("REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")];
    database.run(&nothing).await.expect("no rights");
    let (filter, answers) = (Filter::default(), Answers::new());
    let unanswered = sources
        .compare(
            &Side::Database(url.clone()),
            &Side::Entities,
            &filter,
            &answers,
        )
        .await;
    let given = [format!("GRANT CREATE ON DATABASE {name} TO {user}")];
    database.run(&given).await.expect("rights");
    sources.entities =
        Some(Entities::new(schema).after_tables(|_| vec!["COMMIT; DROP TABLE public.everything"]));
    let refused = sources
        .compare(&Side::Database(url), &Side::Entities, &filter, &answers)
        .await;
    let left = database
        .run_script("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'stairway%';")
        .expect("a count");
    database
        .run(&[
            format!("DROP OWNED BY {user} CASCADE"),
            format!("DROP ROLE {user}"),
        ])
        .await
        .expect("no user");
    database.drop().await;
    assert_eq!(
        changes,
        [
            "+ index everything_big_whole on everything (big desc, whole)",
            "+ view big_ones"
        ]
    );
    assert_eq!(compared.remarks.len(), 1, "{:?}", compared.remarks);
    assert!(compared.remarks[0].contains("rolled back"));
    assert!(!compared.remarks[0].contains("secret"));
    let refused = refused
        .expect_err("a transaction that was ended")
        .to_string();
    assert!(refused.contains("transactions"), "{refused}");
    assert_eq!(left.trim(), "0");
    let words = |compared: &Compared| -> Vec<String> {
        let changes = compared.difference.changes.iter();
        changes.map(|change| change.description.clone()).collect()
    };
    let index = "index everything_big_whole on everything (big desc, whole)";
    assert_eq!(words(&temporary), [format!("+ {index}")]);
    assert_eq!(words(&other_way), [format!("- {index}")]);
    assert!(temporary.remarks[0].contains("temporary tables"));
    let named = temporary.difference.not_compared.iter();
    assert_eq!(
        named
            .filter(|object| object.contains("CREATE VIEW big_ones"))
            .count(),
        1,
        "{:?}",
        temporary.difference.not_compared
    );
    let unanswered = unanswered.expect_err("no right at all").to_string();
    assert!(unanswered.contains("temporary tables"), "{unanswered}");
}
