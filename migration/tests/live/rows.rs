//! Rows written and read through the entities at head.

use std::fmt::Debug;

use sea_orm::prelude::{ChronoUtc, DateTimeUtc, Decimal, Uuid};
use sea_orm::{
    ActiveModelBehavior, ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, IntoActiveModel,
    LoaderTrait, ModelTrait, Set,
};
use serde_json::json;
use stairway_entity::{
    api_keys, artifacts, background_jobs, compute_tiers, dataset_versions, datasets, deployments,
    evaluation_scores, evaluations, experiments, model_versions, models, project_members, projects,
    run_metrics, training_runs, user_preferences, users,
};
use stairway_migration::{Migrator, MigratorTrait};

use crate::database::{TestDatabase, TestResult};

crate::on_each_database!(a_row_of_every_entity_comes_back_as_it_was_written);

async fn a_row_of_every_entity_comes_back_as_it_was_written(database: &TestDatabase) -> TestResult {
    Migrator::up(&database.connect().await?, None).await?;
    let db = &database.connect().await?;

    let user = people(db).await?;
    let project = insert(
        db,
        projects::ActiveModel {
            owner_id: Set(user.id),
            slug: Set("vision".to_owned()),
            name: Set("Vision".to_owned()),
            visibility: Set(projects::ProjectVisibility::Internal),
            archived_at: Set(Some(moment())),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(project.monthly_budget_usd, Decimal::ZERO);
    let member = insert(
        db,
        project_members::ActiveModel {
            project_id: Set(project.id),
            user_id: Set(user.id),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(member.role, project_members::ProjectRole::Reader);

    let (dataset_version, run) = training(db, &user, &project).await?;
    let version = results(db, &project, &run).await?;
    evaluation(db, &version, &dataset_version).await?;
    deployment_and_job(db, &user, &version).await?;

    let owner = project.find_related(users::Entity).one(db).await?;
    assert_eq!(owner.as_ref(), Some(&user));
    let runs_of_user = vec![user].load_many(training_runs::Entity, db).await?;
    assert_eq!(runs_of_user, [[run]]);
    Ok(())
}

async fn people(db: &DatabaseConnection) -> Result<users::Model, DbErr> {
    let user = insert(
        db,
        users::ActiveModel {
            email: Set("ada@example.com".to_owned()),
            display_name: Set("Ada Lovelace \u{1f9ee}".to_owned()),
            last_login_at: Set(Some(moment())),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(
        (user.role, user.is_active, user.email_verified),
        (users::UserRole::Member, true, false)
    );
    assert!(
        is_now(user.created_at) && is_now(user.updated_at),
        "{user:?}"
    );
    insert(
        db,
        user_preferences::ActiveModel {
            user_id: Set(user.id),
            preferences: Set(json!({"theme": "dark", "columns": [1, 2]})),
            ..Default::default()
        },
    )
    .await?;
    insert(
        db,
        api_keys::ActiveModel {
            user_id: Set(user.id),
            name: Set("laptop".to_owned()),
            prefix: Set("sw_0a1b".to_owned()),
            key_hash: Set("0f".repeat(32)),
            scopes: Set(json!(["read", "write"])),
            expires_at: Set(Some(moment())),
            ..Default::default()
        },
    )
    .await?;
    Ok(user)
}

async fn training(
    db: &DatabaseConnection,
    user: &users::Model,
    project: &projects::Model,
) -> Result<(dataset_versions::Model, training_runs::Model), DbErr> {
    let dataset = insert(
        db,
        datasets::ActiveModel {
            project_id: Set(project.id),
            name: Set("cats".to_owned()),
            description: Set(Some("Pictures of cats".to_owned())),
            ..Default::default()
        },
    )
    .await?;
    let dataset_version = insert(
        db,
        dataset_versions::ActiveModel {
            dataset_id: Set(dataset.id),
            version: Set(1),
            storage_uri: Set("s3://data/cats/1".to_owned()),
            sha256: Set("ab".repeat(32)),
            row_count: Set(Some(5_000_000_000)),
            created_by: Set(Some(user.id)),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(dataset_version.size_bytes, 0);
    let experiment = insert(
        db,
        experiments::ActiveModel {
            project_id: Set(project.id),
            name: Set("baseline".to_owned()),
            created_by: Set(None),
            ..Default::default()
        },
    )
    .await?;
    let tier = insert(
        db,
        compute_tiers::ActiveModel {
            code: Set("gpu-huge".to_owned()),
            vcpus: Set(192),
            memory_gib: Set(2048),
            hourly_usd: Set(Decimal::new(655_452, 4)),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!((tier.gpus, tier.hourly_usd), (0, Decimal::new(655_452, 4)));
    let run = insert(
        db,
        training_runs::ActiveModel {
            experiment_id: Set(experiment.id),
            dataset_version_id: Set(dataset_version.id),
            compute_tier_code: Set(Some(tier.code)),
            started_by: Set(Some(user.id)),
            parameters: Set(json!({"learning_rate": 0.001})),
            cost_usd: Set(Decimal::new(123_456, 4)),
            finished_at: Set(Some(moment())),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(run.status, training_runs::TrainingRunStatus::Queued);
    assert_eq!(
        (run.cost_usd, run.finished_at),
        (Decimal::new(123_456, 4), Some(moment()))
    );
    Ok((dataset_version, run))
}

async fn results(
    db: &DatabaseConnection,
    project: &projects::Model,
    run: &training_runs::Model,
) -> Result<model_versions::Model, DbErr> {
    insert(
        db,
        run_metrics::ActiveModel {
            training_run_id: Set(run.id),
            name: Set("loss".to_owned()),
            step: Set(1_000_000),
            value: Set(0.125),
            ..Default::default()
        },
    )
    .await?;
    let artifact = insert(
        db,
        artifacts::ActiveModel {
            training_run_id: Set(run.id),
            path: Set("checkpoints/last.bin".to_owned()),
            size_bytes: Set(8_000_000_000),
            sha256: Set("cd".repeat(32)),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(artifact.kind, artifacts::ArtifactKind::Other);
    let model = insert(
        db,
        models::ActiveModel {
            project_id: Set(project.id),
            name: Set("cat-finder".to_owned()),
            framework: Set("burn".to_owned()),
            ..Default::default()
        },
    )
    .await?;
    let version = insert(
        db,
        model_versions::ActiveModel {
            model_id: Set(model.id),
            version: Set(1),
            training_run_id: Set(Some(run.id)),
            notes: Set(Some("first".to_owned())),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(version.stage, model_versions::ModelStage::Development);
    Ok(version)
}

async fn evaluation(
    db: &DatabaseConnection,
    version: &model_versions::Model,
    dataset_version: &dataset_versions::Model,
) -> Result<(), DbErr> {
    let evaluation = insert(
        db,
        evaluations::ActiveModel {
            model_version_id: Set(version.id),
            dataset_version_id: Set(dataset_version.id),
            ..Default::default()
        },
    )
    .await?;
    insert(
        db,
        evaluation_scores::ActiveModel {
            evaluation_id: Set(evaluation.id),
            metric: Set("accuracy".to_owned()),
            value: Set(0.75),
        },
    )
    .await?;
    Ok(())
}

async fn deployment_and_job(
    db: &DatabaseConnection,
    user: &users::Model,
    version: &model_versions::Model,
) -> Result<(), DbErr> {
    let deployment = insert(
        db,
        deployments::ActiveModel {
            model_version_id: Set(version.id),
            environment: Set("production".to_owned()),
            name: Set("cat-finder".to_owned()),
            deployed_by: Set(Some(user.id)),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(
        (
            deployment.status,
            deployment.replicas,
            deployment.traffic_percent
        ),
        (
            deployments::DeploymentStatus::Pending,
            1,
            Decimal::ONE_HUNDRED
        )
    );
    let job = insert(
        db,
        background_jobs::ActiveModel {
            id: Set(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001)),
            kind: Set("send_mail".to_owned()),
            payload: Set(json!({"to": user.email})),
            locked_by: Set(Some("worker-1".to_owned())),
            ..Default::default()
        },
    )
    .await?;
    assert_eq!(
        (job.status, job.priority, job.attempts, job.max_attempts),
        (background_jobs::JobStatus::Queued, 0, 0, 5)
    );
    assert!(is_now(job.run_after), "{job:?}");
    Ok(())
}

/// Writes a row and reads the table again.
async fn insert<E, A>(db: &DatabaseConnection, row: A) -> Result<E::Model, DbErr>
where
    E: EntityTrait,
    E::Model: IntoActiveModel<A> + Clone + Debug + PartialEq,
    A: ActiveModelTrait<Entity = E> + ActiveModelBehavior + Send,
{
    let written = row.insert(db).await?;
    let read = E::find().all(db).await?;
    assert!(read.contains(&written), "{written:?} is not among {read:?}");
    Ok(written)
}

/// A moment that every database can hold exactly.
fn moment() -> DateTimeUtc {
    DateTimeUtc::from_timestamp(1_767_323_045, 0).expect("a moment in 2026")
}

/// Whether the database put the present time there, in the right time zone.
fn is_now(time: DateTimeUtc) -> bool {
    (ChronoUtc::now() - time).num_seconds().abs() < 300
}
