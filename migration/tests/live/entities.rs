//! The entities against the schema at head.

use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, EntityTrait, IdenStatic,
    Iterable, Statement,
};
use stairway_entity::prelude::{
    ApiKeys, Artifacts, BackgroundJobs, ComputeTiers, DatasetVersions, Datasets, Deployments,
    EvaluationScores, Evaluations, Experiments, ModelVersions, Models, ProjectMembers, Projects,
    RunMetrics, TrainingRuns, UserPreferences, Users,
};
use stairway_migration::{Migrator, MigratorTrait};

use crate::catalogue;
use crate::database::{TestDatabase, TestResult};

crate::on_each_database!(
    the_entities_make_the_schema_at_head,
    every_entity_has_the_columns_of_its_table,
);

async fn the_entities_make_the_schema_at_head(database: &TestDatabase) -> TestResult {
    let db = database.connect().await?;
    Migrator::up(&db, None).await?;
    let migrated = catalogue::without_positions(&catalogue::read(&db).await?);
    Migrator::down(&db, None).await?;

    stairway_entity::schema(db.get_database_backend())
        .apply(&db)
        .await?;
    let described = catalogue::without_positions(&catalogue::read(&db).await?);
    catalogue::assert_same("migrated and described", &migrated, &described);
    Ok(())
}

/// A table's columns by name, and whether each may be null.
type Columns = Vec<(String, bool)>;

async fn every_entity_has_the_columns_of_its_table(database: &TestDatabase) -> TestResult {
    let db = database.connect().await?;
    Migrator::up(&db, None).await?;
    let entities = [
        columns_of::<ApiKeys>("api_keys"),
        columns_of::<Artifacts>("artifacts"),
        columns_of::<BackgroundJobs>("background_jobs"),
        columns_of::<ComputeTiers>("compute_tiers"),
        columns_of::<DatasetVersions>("dataset_versions"),
        columns_of::<Datasets>("datasets"),
        columns_of::<Deployments>("deployments"),
        columns_of::<EvaluationScores>("evaluation_scores"),
        columns_of::<Evaluations>("evaluations"),
        columns_of::<Experiments>("experiments"),
        columns_of::<ModelVersions>("model_versions"),
        columns_of::<Models>("models"),
        columns_of::<ProjectMembers>("project_members"),
        columns_of::<Projects>("projects"),
        columns_of::<RunMetrics>("run_metrics"),
        columns_of::<TrainingRuns>("training_runs"),
        columns_of::<UserPreferences>("user_preferences"),
        columns_of::<Users>("users"),
    ];
    assert_eq!(
        live_tables(&db).await?,
        entities.each_ref().map(|(table, _)| *table)
    );
    for (table, columns) in entities {
        assert_eq!(live_columns(&db, table).await?, columns, "{table}");
    }
    Ok(())
}

fn columns_of<E: EntityTrait + Default>(table: &'static str) -> (&'static str, Columns) {
    assert_eq!(E::default().table_name(), table);
    let mut columns: Columns = E::Column::iter()
        .map(|column| (column.as_str().to_owned(), column.def().is_null()))
        .collect();
    columns.sort();
    (table, columns)
}

async fn live_tables(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => {
            "SELECT name AS value FROM sqlite_master
             WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
        }
        DbBackend::MySql => {
            "SELECT CONVERT(table_name USING utf8mb4) AS value FROM information_schema.tables
             WHERE table_schema = database()"
        }
        _ => {
            "SELECT table_name::text AS value FROM information_schema.tables
             WHERE table_schema = 'public'"
        }
    };
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let mut tables: Vec<String> = rows
        .iter()
        .map(|row| row.try_get("", "value"))
        .collect::<Result<_, _>>()?;
    tables.retain(|table| table != "seaql_migrations");
    tables.sort();
    Ok(tables)
}

async fn live_columns(db: &DatabaseConnection, table: &str) -> Result<Columns, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Sqlite => format!(
            "SELECT name AS name, iif(\"notnull\" OR pk, 'NO', 'YES') AS nullable
             FROM pragma_table_xinfo('{table}')"
        ),
        DbBackend::MySql => format!(
            "SELECT CONVERT(column_name USING utf8mb4) AS name,
                    CONVERT(is_nullable USING utf8mb4) AS nullable
             FROM information_schema.columns
             WHERE table_schema = database() AND table_name = '{table}'"
        ),
        _ => format!(
            "SELECT column_name::text AS name, is_nullable::text AS nullable
             FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = '{table}'"
        ),
    };
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    let mut columns = Columns::new();
    for row in rows {
        let nullable: String = row.try_get("", "nullable")?;
        columns.push((row.try_get("", "name")?, nullable == "YES"));
    }
    columns.sort();
    Ok(columns)
}
