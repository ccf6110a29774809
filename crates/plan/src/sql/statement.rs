//! What a statement is and what follows from it for whoever runs it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Dialect;

/// The name of a database object as the catalogue holds it: without quotes, and in PostgreSQL
/// folded to lower case unless it was quoted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectName {
    /// The schema, or MySQL's database, where the statement names it.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

impl ObjectName {
    /// A name without a schema.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }

    /// A name in a schema.
    pub fn in_schema(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: Some(schema.into()),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// A kind of database object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A table, foreign and virtual ones too.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialised view.
    MaterializedView,
    /// A type or a domain.
    Type,
    /// A trigger.
    Trigger,
    /// A function or an aggregate.
    Function,
    /// A procedure.
    Procedure,
    /// A scheduled event of MySQL.
    Event,
    /// A sequence.
    Sequence,
    /// A schema of PostgreSQL.
    Schema,
    /// A database; MySQL's `SCHEMA` is one.
    Database,
    /// An extension.
    Extension,
    /// A role or a user.
    Role,
    /// A row security policy.
    Policy,
    /// A rewrite rule.
    Rule,
    /// A foreign server or a foreign data wrapper.
    Server,
    /// A tablespace.
    Tablespace,
    /// A publication.
    Publication,
    /// A subscription.
    Subscription,
    /// Any other.
    Other,
}

/// A database object that a statement names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ObjectReference {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: ObjectName,
}

/// How far a `SET` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SettingScope {
    /// Until the session ends.
    Session,
    /// Until the transaction ends.
    Transaction,
    /// The whole server.
    Global,
    /// A variable of MySQL's own making, `@name`.
    UserVariable,
}

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// Nothing but blanks and comments.
    Empty,
    /// More than one statement.
    Several,
    /// Reads: `SELECT`, `VALUES`, `TABLE`, `SHOW`, `EXPLAIN` that runs nothing, a reading `PRAGMA`.
    Query,
    /// Adds rows.
    Insert { returning: bool },
    /// Changes rows.
    Update { returning: bool },
    /// Removes rows.
    Delete { returning: bool },
    /// `MERGE`.
    Merge { returning: bool },
    /// `REPLACE`.
    Replace { returning: bool },
    /// `LOAD DATA`, `COPY … FROM`.
    LoadData,
    /// `CREATE TABLE`, and PostgreSQL's `SELECT … INTO`.
    CreateTable,
    /// `ALTER TABLE`.
    AlterTable,
    /// `DROP TABLE`.
    DropTable,
    /// `RENAME TABLE`.
    RenameTable,
    /// `TRUNCATE`.
    TruncateTable,
    /// `CREATE INDEX`.
    CreateIndex {
        unique: bool,
        concurrently: bool,
        if_not_exists: bool,
    },
    /// `ALTER INDEX`.
    AlterIndex,
    /// `DROP INDEX`.
    DropIndex { concurrently: bool },
    /// `REINDEX`.
    Reindex { concurrently: bool },
    /// `CREATE VIEW`.
    CreateView { materialized: bool },
    /// `ALTER VIEW`.
    AlterView { materialized: bool },
    /// `DROP VIEW`.
    DropView { materialized: bool },
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshView { concurrently: bool },
    /// `CREATE TYPE` or `CREATE DOMAIN`.
    CreateType,
    /// `ALTER TYPE` or `ALTER DOMAIN`.
    AlterType {
        /// The statement is `ALTER TYPE … ADD VALUE`.
        add_value: bool,
    },
    /// `DROP TYPE` or `DROP DOMAIN`.
    DropType,
    /// Creates an object of another kind.
    Create(ObjectKind),
    /// Alters or renames an object of another kind.
    Alter(ObjectKind),
    /// Drops an object of another kind.
    Drop(ObjectKind),
    /// `COMMENT ON`, `SECURITY LABEL`.
    Comment,
    /// `GRANT`.
    Grant,
    /// `REVOKE`.
    Revoke,
    /// `BEGIN` or `START TRANSACTION`.
    Begin,
    /// `COMMIT` or `END`; with `chain`, another transaction begins at once.
    Commit { chain: bool },
    /// `ROLLBACK` or `ABORT`; with `chain`, another transaction begins at once.
    Rollback { chain: bool },
    /// `SAVEPOINT`.
    Savepoint,
    /// `ROLLBACK TO`.
    RollbackTo,
    /// `RELEASE`.
    Release,
    /// `PREPARE TRANSACTION`, `XA PREPARE` and what settles them later.
    TwoPhase {
        /// The session's transaction ends with it.
        ends_transaction: bool,
    },
    /// `SET TRANSACTION`, `SET CONSTRAINTS`.
    SetTransaction,
    /// MySQL's `SET autocommit`.
    SetAutocommit { on: bool },
    /// `SET` or `RESET` of a setting, whose name is in [`Statement::setting`].
    Set { scope: SettingScope },
    /// `SET ROLE`.
    SetRole,
    /// `SET SESSION AUTHORIZATION`.
    SetSessionAuthorization,
    /// `DISCARD`.
    Discard,
    /// `USE`.
    Use,
    /// A `PRAGMA` that changes something, whose name is in [`Statement::setting`].
    PragmaWrite,
    /// `LOCK TABLE`; in MySQL it commits.
    LockTables,
    /// `UNLOCK TABLES`.
    UnlockTables,
    /// `VACUUM`.
    Vacuum,
    /// `ANALYZE` of tables.
    Analyze,
    /// `CLUSTER`.
    Cluster,
    /// `OPTIMIZE`, `REPAIR` and `CHECK TABLE` of MySQL.
    MaintainTable,
    /// Runs the server: `FLUSH`, `ALTER SYSTEM`, `SET PASSWORD`, `INSTALL PLUGIN`, replication.
    Administer,
    /// SQLite's `ATTACH`.
    Attach,
    /// SQLite's `DETACH`.
    Detach,
    /// A block of code: `DO`, `BEGIN NOT ATOMIC`.
    Do,
    /// `CALL`, `EXECUTE`.
    Call,
    /// Not recognised.
    Other,
}

/// A recognised statement.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one clause that the statement has or has not"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is.
    pub kind: StatementKind,
    /// The object that it is about: the table written to, the index created, the savepoint.
    pub target: Option<ObjectName>,
    /// The table it concerns, where it concerns one: that of a row change, an index, a trigger.
    pub table: Option<ObjectName>,
    /// The setting or pragma that it changes, in lower case; `all` for `RESET ALL`.
    pub setting: Option<String>,
    /// It has `TEMPORARY`, so that its object lives in the session only.
    pub temporary: bool,
    /// It has `IF EXISTS`.
    pub if_exists: bool,
    /// It has `IF NOT EXISTS`, and so says success where something else stands already.
    pub if_not_exists: bool,
    /// The objects whose definition before and after tells whether the statement was done. Empty
    /// where no definition tells: row changes, `TRUNCATE`, grants.
    pub affects: Vec<ObjectReference>,
    /// The database refuses it, or silently ignores it, inside a transaction.
    pub(crate) outside_transaction: bool,
    /// A query that calls `set_config`.
    pub(crate) sets_by_function: bool,
}

impl Statement {
    pub(crate) fn new(kind: StatementKind) -> Self {
        Self {
            kind,
            target: None,
            table: None,
            setting: None,
            temporary: false,
            if_exists: false,
            if_not_exists: false,
            affects: Vec::new(),
            outside_transaction: false,
            sets_by_function: false,
        }
    }

    /// Whether it only reads, as far as its text tells: what a function does that a query calls is
    /// not known.
    pub fn is_read(&self) -> bool {
        self.kind == StatementKind::Query && !self.sets_by_function
    }

    /// Whether it changes rows, by its text.
    pub fn is_data_change(&self) -> bool {
        use StatementKind as Kind;
        matches!(
            self.kind,
            Kind::Insert { .. }
                | Kind::Update { .. }
                | Kind::Delete { .. }
                | Kind::Merge { .. }
                | Kind::Replace { .. }
                | Kind::LoadData
                | Kind::TruncateTable
        )
    }

    /// Whether rows come back from it: a query, or a row change with `RETURNING`.
    pub fn returns_rows(&self) -> bool {
        use StatementKind as Kind;
        match self.kind {
            Kind::Query => true,
            Kind::Insert { returning }
            | Kind::Update { returning }
            | Kind::Delete { returning }
            | Kind::Merge { returning }
            | Kind::Replace { returning } => returning,
            _ => false,
        }
    }

    /// Whether it changes definitions: objects, comments or privileges.
    pub fn is_ddl(&self) -> bool {
        use StatementKind as Kind;
        matches!(
            self.kind,
            Kind::CreateTable
                | Kind::AlterTable
                | Kind::DropTable
                | Kind::RenameTable
                | Kind::TruncateTable
                | Kind::CreateIndex { .. }
                | Kind::AlterIndex
                | Kind::DropIndex { .. }
                | Kind::CreateView { .. }
                | Kind::AlterView { .. }
                | Kind::DropView { .. }
                | Kind::CreateType
                | Kind::AlterType { .. }
                | Kind::DropType
                | Kind::Create(_)
                | Kind::Alter(_)
                | Kind::Drop(_)
                | Kind::Comment
                | Kind::Grant
                | Kind::Revoke
        )
    }

    /// Whether MySQL or MariaDB commits the open transaction when it gets the statement.
    ///
    /// After the manuals' lists ("Statements That Cause an Implicit Commit") and trials on MariaDB
    /// 10.11. Where the two databases differ, or where it depends on the session's state
    /// (`UNLOCK TABLES`, `SET autocommit = 1`), the answer is yes. What `CALL` and `EXECUTE` run is
    /// not seen; for [`StatementKind::Several`] the answer is yes.
    pub fn commits_implicitly(&self, dialect: Dialect) -> bool {
        use StatementKind as Kind;
        if dialect != Dialect::MySql {
            return false;
        }
        match self.kind {
            Kind::CreateTable | Kind::DropTable => !self.temporary,
            Kind::SetAutocommit { on } => on,
            Kind::Several
            | Kind::Begin
            | Kind::LockTables
            | Kind::UnlockTables
            | Kind::Analyze
            | Kind::MaintainTable
            | Kind::Administer => true,
            _ => self.is_ddl(),
        }
    }

    /// Whether the database refuses it inside a transaction, or ignores it there without a word.
    ///
    /// The same dialect is meant as the one that the statement was recognised in.
    pub fn runs_outside_transaction_only(&self, dialect: Dialect) -> bool {
        dialect != Dialect::MySql && self.outside_transaction
    }

    /// Whether it ends the transaction by name. What ends one on the way is asked of
    /// [`Self::commits_implicitly`].
    pub fn ends_transaction(&self) -> bool {
        use StatementKind as Kind;
        matches!(
            self.kind,
            Kind::Commit { .. }
                | Kind::Rollback { .. }
                | Kind::TwoPhase {
                    ends_transaction: true
                }
        )
    }

    /// Whether a transaction is open after it because of it.
    pub fn begins_transaction(&self) -> bool {
        use StatementKind as Kind;
        matches!(
            self.kind,
            Kind::Begin
                | Kind::Commit { chain: true }
                | Kind::Rollback { chain: true }
                | Kind::SetAutocommit { on: false }
        )
    }

    /// Whether it leaves the session other than it found it: a setting, a role, the database in
    /// use, an attached file, a temporary object.
    pub fn changes_session(&self) -> bool {
        use StatementKind as Kind;
        match self.kind {
            Kind::Set { scope } => {
                matches!(scope, SettingScope::Session | SettingScope::UserVariable)
            }
            Kind::SetAutocommit { .. }
            | Kind::SetRole
            | Kind::SetSessionAuthorization
            | Kind::Discard
            | Kind::Use
            | Kind::PragmaWrite
            | Kind::LockTables
            | Kind::Attach
            | Kind::Detach => true,
            _ => self.sets_by_function || self.temporary,
        }
    }

    /// Whether its text does not tell what it runs: blocks, calls, and what was not recognised.
    pub fn is_opaque(&self) -> bool {
        matches!(
            self.kind,
            StatementKind::Do | StatementKind::Call | StatementKind::Several | StatementKind::Other
        )
    }
}
