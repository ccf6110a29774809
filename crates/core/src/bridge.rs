//! Where a migration's statements go.
//!
//! A `SchemaManager` accepts no connection but sea-orm's own, and sea-orm's only open door is the
//! mock driver: whatever implements `MockDatabaseTrait` sees every statement, and may answer with
//! native rows. The trait is synchronous, so each migration runs on a thread of its own that waits
//! for its answers, while the side that owns the real connection stays asynchronous. Nothing in
//! here may panic: sea-orm holds a mutex around each call, and a poisoned one aborts the process
//! when a transaction is dropped.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, mpsc};

use futures_util::FutureExt;
use sea_orm::{
    DatabaseConnection, DatabaseConnectionType, DbBackend, DbErr, ExecResult, MockDatabase,
    MockDatabaseConnection, MockDatabaseTrait, MockExecResult, QueryResult, RuntimeErr, Statement,
    Transaction,
};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use stairway_plan::plan::Direction;
use stairway_plan::sql::Dialect;
use tokio::sync::mpsc as channel;

/// What a migration asks of its connection.
#[derive(Debug)]
pub(crate) enum Request {
    /// Run a statement, say how many rows it changed.
    Execute(Statement, Reply<ExecResult>),
    /// Run a statement, give its rows.
    Query(Statement, Reply<Vec<QueryResult>>),
    /// Open a transaction, or a savepoint in one.
    Begin(Reply<()>),
    /// Commit the innermost transaction, or release the savepoint.
    Commit(Reply<()>),
    /// Undo the innermost transaction or savepoint.
    Rollback(Reply<()>),
    /// The migration is over.
    Finished(Result<(), StepError>),
}

/// Where an answer goes. The other side waits for it.
pub(crate) type Reply<T> = mpsc::Sender<Result<T, DbErr>>;

/// How a migration ended badly.
#[derive(Debug)]
pub(crate) enum StepError {
    /// It returned an error.
    Returned(DbErr),
    /// It panicked, with this message.
    Panicked(String),
}

/// What the names of the threads begin with on which migrations run.
pub(crate) const THREAD: &str = "stairway-migration";

/// A thread on which migrations run one after another.
#[derive(Debug)]
pub(crate) struct MigrationThread {
    jobs: mpsc::Sender<Job>,
    /// Those of the migration that runs. Each has a channel of its own: what an earlier one left
    /// running, in a task of its own, reaches nobody.
    requests: channel::UnboundedReceiver<Request>,
}

struct Job {
    migration: Arc<dyn MigrationTrait>,
    direction: Direction,
    outgoing: channel::UnboundedSender<Request>,
}

impl MigrationThread {
    /// Starts the thread. It ends when this value is dropped and its migration has returned.
    pub(crate) fn start(dialect: Dialect) -> std::io::Result<Self> {
        let (jobs, incoming) = mpsc::channel::<Job>();
        let (_, requests) = channel::unbounded_channel();
        // A worker beside the blocked thread, so that a migration may use whatever a
        // multi-threaded runtime allows.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(format!("{THREAD}-worker"))
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name(THREAD.to_owned())
            .spawn(move || {
                while let Ok(job) = incoming.recv() {
                    let connection = connection_through(Bridge {
                        backend: backend_of(dialect),
                        requests: job.outgoing.clone(),
                        failed: None,
                    });
                    let outcome =
                        runtime.block_on(run_guarded(&*job.migration, job.direction, connection));
                    // Nobody may be left who waits for it.
                    let _ = job.outgoing.send(Request::Finished(outcome));
                }
                runtime.shutdown_background();
            })?;
        Ok(Self { jobs, requests })
    }

    /// Starts a migration. Its requests follow through [`Self::next`], the last being `Finished`.
    pub(crate) fn run(&mut self, migration: Arc<dyn MigrationTrait>, direction: Direction) {
        let (outgoing, requests) = channel::unbounded_channel();
        self.requests = requests;
        // The thread lives as long as this value, unless it was killed by the process's end.
        let _ = self.jobs.send(Job {
            migration,
            direction,
            outgoing,
        });
    }

    /// The migration's next request. Ends with an error if its thread is gone.
    pub(crate) async fn next(&mut self) -> Request {
        self.requests.recv().await.unwrap_or_else(|| {
            Request::Finished(Err(StepError::Panicked(
                "the migration's thread ended".to_owned(),
            )))
        })
    }
}

/// Runs `up` or `down`; a panic becomes an error.
pub(crate) async fn run_guarded(
    migration: &dyn MigrationTrait,
    direction: Direction,
    connection: DatabaseConnection,
) -> Result<(), StepError> {
    let manager = SchemaManager::new(&connection);
    let work = async {
        match direction {
            Direction::Upgrade => migration.up(&manager).await,
            Direction::Downgrade => migration.down(&manager).await,
        }
    };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(StepError::Returned),
        Err(panic) => Err(StepError::Panicked(panic_message(&*panic))),
    }
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let message = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned());
    message.unwrap_or_else(|| "a panic without a message".to_owned())
}

/// A sea-orm connection whose statements all go to `driver`.
pub(crate) fn connection_through(driver: impl MockDatabaseTrait + 'static) -> DatabaseConnection {
    DatabaseConnectionType::MockDatabaseConnection(Arc::new(MockDatabaseConnection::new(driver)))
        .into()
}

/// sea-orm's word for a dialect.
pub(crate) fn backend_of(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Postgres => DbBackend::Postgres,
        Dialect::MySql => DbBackend::MySql,
        Dialect::Sqlite => DbBackend::Sqlite,
    }
}

/// A result for a statement that was not run now. sea-orm offers no constructor but through its
/// own mock.
pub(crate) fn exec_result(
    dialect: Dialect,
    rows_affected: u64,
    last_insert_id: u64,
) -> Result<ExecResult, DbErr> {
    let backend = backend_of(dialect);
    let mut mock = MockDatabase::new(backend).append_exec_results([MockExecResult {
        last_insert_id,
        rows_affected,
    }]);
    MockDatabaseTrait::execute(&mut mock, 0, Statement::from_string(backend, ""))
}

/// An error of the bridge itself.
pub(crate) fn bridge_error(message: impl Into<String>) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(message.into()))
}

/// The driver: hands every call to the side that owns the connection, and waits.
#[derive(Debug)]
struct Bridge {
    backend: DbBackend,
    requests: channel::UnboundedSender<Request>,
    /// `begin`, `commit` and `rollback` can't return an error; every later call returns it instead.
    failed: Option<String>,
}

impl Bridge {
    fn ask<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, DbErr> {
        if let Some(error) = &self.failed {
            return Err(bridge_error(error.clone()));
        }
        let (reply, answer) = mpsc::channel();
        self.requests
            .send(request(reply))
            .map_err(|_| bridge_error("the run has ended"))?;
        answer
            .recv()
            .unwrap_or_else(|_| Err(bridge_error("the run has ended")))
    }

    fn ask_without_answer(&mut self, request: impl FnOnce(Reply<()>) -> Request) {
        if let Err(error) = self.ask(request) {
            self.failed.get_or_insert_with(|| error.to_string());
        }
    }
}

impl MockDatabaseTrait for Bridge {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        self.ask(|reply| Request::Execute(statement, reply))
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.ask(|reply| Request::Query(statement, reply))
    }

    fn begin(&mut self) {
        self.ask_without_answer(Request::Begin);
    }

    fn commit(&mut self) {
        self.ask_without_answer(Request::Commit);
    }

    fn rollback(&mut self) {
        self.ask_without_answer(Request::Rollback);
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}
