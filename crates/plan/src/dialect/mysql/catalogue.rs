//! What to ask the catalogue of MySQL and MariaDB.
//!
//! A constant number of queries, however many tables there are; all of them concern the database of
//! the session and need no right but to read. Tables of the catalogue are never joined with one
//! another: the server would open every table for every row. The answers are text, read in
//! [`super::read`].

use crate::dialect::rows::TextRow;
use crate::schema::Server;

/// The server's version, the database, and what a new table gets when nothing is said: engine,
/// character set, collation.
pub const SERVER: &str = "SELECT VERSION(), DATABASE(), @@default_storage_engine, \
    @@character_set_database, @@collation_database";

/// The queries for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queries {
    /// Tables and views.
    pub tables: String,
    /// Their columns.
    pub columns: String,
    /// Indexes, one row for each key.
    pub indexes: String,
    /// Columns of foreign keys.
    pub key_columns: String,
    /// Foreign keys.
    pub foreign_keys: String,
    /// Checks.
    pub checks: Option<String>,
    /// Which table a check belongs to, where the query for checks does not tell.
    pub check_owners: Option<String>,
    /// Views.
    pub views: String,
    /// Triggers.
    pub triggers: String,
    /// Functions and procedures.
    pub routines: String,
    /// Their parameters.
    pub parameters: String,
    /// Scheduled events.
    pub events: String,
    /// Partitions, to be asked only when a table has some.
    pub partitions: String,
}

/// The answers to [`Queries`].
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// To [`SERVER`].
    pub server: Vec<TextRow>,
    /// To [`Queries::tables`].
    pub tables: Vec<TextRow>,
    /// To [`Queries::columns`].
    pub columns: Vec<TextRow>,
    /// To [`Queries::indexes`].
    pub indexes: Vec<TextRow>,
    /// To [`Queries::key_columns`].
    pub key_columns: Vec<TextRow>,
    /// To [`Queries::foreign_keys`].
    pub foreign_keys: Vec<TextRow>,
    /// To [`Queries::checks`].
    pub checks: Vec<TextRow>,
    /// To [`Queries::check_owners`].
    pub check_owners: Vec<TextRow>,
    /// To [`Queries::views`].
    pub views: Vec<TextRow>,
    /// To [`Queries::triggers`].
    pub triggers: Vec<TextRow>,
    /// To [`Queries::routines`].
    pub routines: Vec<TextRow>,
    /// To [`Queries::parameters`].
    pub parameters: Vec<TextRow>,
    /// To [`Queries::events`].
    pub events: Vec<TextRow>,
    /// To [`Queries::partitions`].
    pub partitions: Vec<TextRow>,
    /// What may not be as the catalogue shows it, for people.
    pub doubtful: Vec<String>,
}

/// The server that answered [`SERVER`].
pub fn server(answer: &[TextRow]) -> Server {
    let version = answer
        .first()
        .and_then(|row| row.first().cloned().flatten())
        .unwrap_or_default();
    let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
    // Old MariaDB servers say `5.5.5-10.1.2-MariaDB` to clients that know no better.
    let number = if is_mariadb {
        version.strip_prefix("5.5.5-").unwrap_or(&version)
    } else {
        &version
    };
    let end = number.find(|c: char| c != '.' && !c.is_ascii_digit());
    let mut numbers = number[..end.unwrap_or(number.len())]
        .split('.')
        .map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    Server {
        product: if is_mariadb { "MariaDB" } else { "MySQL" }.to_owned(),
        version_number: (next(), next(), next()),
        version,
    }
}

/// Whether the server is MariaDB.
pub(crate) fn is_mariadb(server: &Server) -> bool {
    server.product == "MariaDB"
}

/// The queries that this server understands.
pub fn queries(server: &Server) -> Queries {
    let mariadb = is_mariadb(server);
    let version = server.version_number;
    let generation = "GENERATION_EXPRESSION";
    // Where the catalogues differ, both give the same columns, NULL for what a server does not have.
    let (index_expression, index_hidden) = if mariadb {
        let hidden = if version >= (10, 6, 0) {
            "IGNORED"
        } else {
            "'NO'"
        };
        ("NULL", hidden)
    } else if version >= (8, 0, 13) {
        ("EXPRESSION", "IF(IS_VISIBLE = 'NO', 'YES', 'NO')")
    } else {
        ("NULL", "'NO'")
    };
    let checks = if mariadb {
        (version >= (10, 2, 22)).then(|| {
            let level = if version >= (10, 5, 10) {
                "LEVEL"
            } else {
                "'Table'"
            };
            format!(
                "SELECT TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE, {level} \
                 FROM information_schema.CHECK_CONSTRAINTS \
                 WHERE CONSTRAINT_SCHEMA = DATABASE()"
            )
        })
    } else {
        (version >= (8, 0, 16)).then(|| {
            "SELECT NULL, CONSTRAINT_NAME, CHECK_CLAUSE, 'Table' \
             FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()"
                .to_owned()
        })
    };
    let check_owners = (!mariadb && checks.is_some()).then(|| {
        "SELECT TABLE_NAME, CONSTRAINT_NAME, ENFORCED FROM information_schema.TABLE_CONSTRAINTS \
         WHERE TABLE_SCHEMA = DATABASE() AND CONSTRAINT_TYPE = 'CHECK'"
            .to_owned()
    });
    let algorithm = if mariadb { "ALGORITHM" } else { "NULL" };
    Queries {
        tables: "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, CREATE_OPTIONS, \
                 TABLE_COMMENT FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = DATABASE() ORDER BY TABLE_NAME"
            .to_owned(),
        columns: format!(
            "SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, \
             {generation}, CHARACTER_SET_NAME, COLLATION_NAME, COLUMN_COMMENT \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
             ORDER BY TABLE_NAME, ORDINAL_POSITION"
        ),
        indexes: format!(
            "SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, COLLATION, SUB_PART, \
             INDEX_TYPE, INDEX_COMMENT, {index_expression}, {index_hidden} \
             FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() \
             ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
        ),
        key_columns: "SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, \
                      IF(REFERENCED_TABLE_SCHEMA = DATABASE(), NULL, REFERENCED_TABLE_SCHEMA), \
                      REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME \
                      FROM information_schema.KEY_COLUMN_USAGE \
                      WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL \
                      ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION"
            .to_owned(),
        foreign_keys: "SELECT TABLE_NAME, CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE \
                       FROM information_schema.REFERENTIAL_CONSTRAINTS \
                       WHERE CONSTRAINT_SCHEMA = DATABASE()"
            .to_owned(),
        checks,
        check_owners,
        views: format!(
            "SELECT TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, SECURITY_TYPE, {algorithm} \
             FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()"
        ),
        triggers: "SELECT TRIGGER_NAME, EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, \
                   ACTION_STATEMENT FROM information_schema.TRIGGERS \
                   WHERE TRIGGER_SCHEMA = DATABASE() \
                   ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER"
            .to_owned(),
        routines: "SELECT ROUTINE_NAME, ROUTINE_TYPE, DTD_IDENTIFIER, ROUTINE_DEFINITION, \
                   IS_DETERMINISTIC, SQL_DATA_ACCESS, SECURITY_TYPE, ROUTINE_COMMENT, SPECIFIC_NAME \
                   FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = DATABASE()"
            .to_owned(),
        parameters: "SELECT SPECIFIC_NAME, ROUTINE_TYPE, PARAMETER_MODE, PARAMETER_NAME, \
                     DTD_IDENTIFIER FROM information_schema.PARAMETERS \
                     WHERE SPECIFIC_SCHEMA = DATABASE() AND ORDINAL_POSITION > 0 \
                     ORDER BY SPECIFIC_NAME, ROUTINE_TYPE, ORDINAL_POSITION"
            .to_owned(),
        events: "SELECT EVENT_NAME FROM information_schema.EVENTS \
                 WHERE EVENT_SCHEMA = DATABASE() ORDER BY EVENT_NAME"
            .to_owned(),
        partitions: "SELECT TABLE_NAME, PARTITION_NAME, PARTITION_METHOD, PARTITION_EXPRESSION, \
                     PARTITION_DESCRIPTION, SUBPARTITION_NAME, SUBPARTITION_METHOD, \
                     SUBPARTITION_EXPRESSION FROM information_schema.PARTITIONS \
                     WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL \
                     ORDER BY TABLE_NAME, PARTITION_ORDINAL_POSITION, \
                     SUBPARTITION_ORDINAL_POSITION"
            .to_owned(),
    }
}

/// Whether a table has partitions, so that [`Queries::partitions`] is worth asking.
pub fn has_partitions(tables: &[TextRow]) -> bool {
    tables.iter().any(|row| {
        row.get(4)
            .and_then(Option::as_deref)
            .is_some_and(|options| options.contains("partitioned"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: &str) -> Server {
        server(&[vec![Some(version.to_owned())]])
    }

    #[test]
    fn servers_are_told_apart_by_their_version() {
        for (version, product, number) in [
            ("10.11.19-MariaDB-0+deb12u1", "MariaDB", (10, 11, 19)),
            ("5.5.5-10.1.48-MariaDB", "MariaDB", (10, 1, 48)),
            ("8.0.36", "MySQL", (8, 0, 36)),
            ("8.4.0-commercial", "MySQL", (8, 4, 0)),
        ] {
            let server = read(version);
            assert_eq!(server.product, product, "{version}");
            assert_eq!(server.version_number, number, "{version}");
            assert_eq!(server.version, version);
        }
    }

    #[test]
    fn only_what_a_server_has_is_asked() {
        let old = queries(&read("5.7.44"));
        assert_eq!(old.checks, None);
        assert!(!old.indexes.contains("EXPRESSION,"));
        let mysql = queries(&read("8.0.36"));
        assert!(mysql.check_owners.is_some());
        assert!(mysql.indexes.contains("IS_VISIBLE"));
        let mariadb = queries(&read("10.11.19-MariaDB"));
        assert!(mariadb.check_owners.is_none());
        assert!(mariadb.indexes.contains("IGNORED"));
        assert!(mariadb.views.contains("ALGORITHM"));
    }
}
