//! Migrations that a test writes: a JSON file lists revisions, each a list of actions.
//!
//! An action is a text, which is run as SQL, or one of
//! `{"query": SQL}`, `{"bound": SQL, "value": 7}`, `{"ignore": SQL}` (its error is swallowed),
//! `{"panic": TEXT}`, `{"panic_in_task": TEXT}`, `{"fail": TEXT}`,
//! `{"transaction": [ACTIONS], "end": "commit" | "rollback" | "drop" | "forget"}`,
//! `{"wait_for": FILE}` (until the file is there).

use std::fs;
use std::path::Path;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement, TransactionTrait};
use sea_orm_migration::prelude::*;
use serde_json::Value;
use stairway_core::plan::revision::{Revision as Metadata, RevisionId, RowExpectation};

use crate::revision::{Revisions, Work};

struct Scripted {
    name: String,
    transaction: Option<bool>,
    up: Vec<Value>,
    down: Vec<Value>,
}

impl MigrationName for Scripted {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Scripted {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        act_all(manager, &self.up).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        act_all(manager, &self.down).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// What the file at `path` says.
pub(crate) fn revisions(path: &str) -> Revisions {
    let text = fs::read_to_string(path).expect("the script can be read");
    let list: Vec<Value> = serde_json::from_str(&text).expect("the script is a list");
    let mut revisions = Revisions::default();
    let mut parent: Option<RevisionId> = None;
    for revision in list {
        let name = revision["name"].as_str().expect("a name").to_owned();
        let actions = |key: &str| revision[key].as_array().cloned().unwrap_or_default();
        let mut metadata = Metadata::new(name.as_str(), parent);
        metadata.expected_rows = revision["expect"].as_array().map(|bounds| RowExpectation {
            at_least: bounds[0].as_u64().expect("a number"),
            at_most: bounds[1].as_u64(),
        });
        parent = Some(metadata.id.clone());
        revisions.metadata.push(metadata);
        revisions = revisions.with(Scripted {
            transaction: revision["transaction"].as_bool(),
            up: actions("up"),
            down: actions("down"),
            name,
        });
    }
    revisions
}

async fn act_all(manager: &SchemaManager<'_>, actions: &[Value]) -> Result<(), DbErr> {
    for action in actions {
        act(manager, action).await?;
    }
    Ok(())
}

fn act<'a>(manager: &'a SchemaManager<'a>, action: &'a Value) -> Work<'a> {
    Box::pin(async move {
        let connection = manager.get_connection();
        let text = |key: &str| action[key].as_str();
        if let Some(sql) = action.as_str() {
            connection.execute_unprepared(sql).await?;
        } else if let Some(sql) = text("query") {
            let statement = Statement::from_string(manager.get_database_backend(), sql);
            connection.query_all_raw(statement).await?;
        } else if let Some(sql) = text("bound") {
            let statement = Statement::from_sql_and_values(
                manager.get_database_backend(),
                sql,
                [action["value"].as_i64().unwrap_or_default().into()],
            );
            connection.execute_raw(statement).await?;
        } else if let Some(sql) = text("ignore") {
            drop(connection.execute_unprepared(sql).await);
        } else if let Some(message) = text("panic") {
            panic!("{message}");
        } else if let Some(message) = text("panic_in_task") {
            let message = message.to_owned();
            let task = tokio::spawn(async move { panic!("{message}") });
            task.await.expect("the task ends well");
        } else if let Some(message) = text("fail") {
            return Err(DbErr::Custom(message.to_owned()));
        } else if let Some(path) = text("wait_for") {
            while !Path::new(path).exists() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        } else if let Some(actions) = action["transaction"].as_array() {
            let transaction = connection.begin().await?;
            act_all(&SchemaManager::new(&transaction), actions).await?;
            match text("end") {
                Some("commit") => transaction.commit().await?,
                Some("rollback") => transaction.rollback().await?,
                Some("forget") => std::mem::forget(transaction),
                _ => drop(transaction),
            }
        } else {
            return Err(DbErr::Custom(format!("no such action: {action}")));
        }
        Ok(())
    })
}
