//! Tables that belong to migration tools and take no part in a comparison.

/// Names of other tools' history tables.
const HISTORY_TABLES: [&str; 15] = [
    "__diesel_schema_migrations",
    "__drizzle_migrations",
    "__efmigrationshistory",
    "_prisma_migrations",
    "_sqlx_migrations",
    "alembic_version",
    "ar_internal_metadata",
    "databasechangelog",
    "databasechangeloglock",
    "django_migrations",
    "flyway_schema_history",
    "goose_db_version",
    "refinery_schema_history",
    "schema_migrations",
    "seaql_migrations",
];

/// Beginnings of names that stand for a family of tables.
const HISTORY_PREFIXES: [&str; 3] = ["stairway_", "databasechangelog", "knex_migrations"];

/// Whether a table keeps the history of a migration tool, this one included. `configured` is the
/// name of the history table that the project chose.
pub fn is_history_table(name: &str, configured: Option<&str>) -> bool {
    let lower = name.to_ascii_lowercase();
    configured.is_some_and(|configured| configured.eq_ignore_ascii_case(name))
        || HISTORY_TABLES.contains(&lower.as_str())
        || HISTORY_PREFIXES
            .iter()
            .any(|prefix| lower.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::is_history_table;

    #[test]
    fn history_tables_of_this_and_other_tools_are_known() {
        for name in [
            "seaql_migrations",
            "stairway_ledger",
            "knex_migrations_lock",
            "DATABASECHANGELOGLOCK",
            "__EFMigrationsHistory",
        ] {
            assert!(is_history_table(name, None), "{name}");
        }
    }

    #[test]
    fn ordinary_tables_are_not_taken_for_history() {
        for name in ["users", "migrations", "stairway", "my_seaql_migrations"] {
            assert!(!is_history_table(name, None), "{name}");
        }
    }

    #[test]
    fn the_configured_history_table_is_known() {
        assert!(is_history_table("my_history", Some("my_history")));
    }
}
