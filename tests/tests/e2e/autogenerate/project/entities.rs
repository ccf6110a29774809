//! The entities in each state that somebody's work brings them into.

use sea_orm::{DbBackend, Schema};
use stairway_core::side::Entities;

pub fn of(state: &str) -> Entities {
    let state = state.to_owned();
    let declared = state == "declared";
    let entities = Entities::new(move |backend| {
        let builder = Schema::new(backend).builder();
        match state.as_str() {
            "first" | "declared" => builder
                .register(users::Entity)
                .register(posts::Entity)
                .register(diaries::Entity),
            "grown" => builder
                .register(grown_users::Entity)
                .register(indexed_posts::Entity)
                .register(diaries::Entity)
                .register(comments::Entity),
            "renamed column" => builder
                .register(renamed_users::Entity)
                .register(posts::Entity)
                .register(diaries::Entity),
            "renamed column, as stated" => builder
                .register(stated_users::Entity)
                .register(posts::Entity)
                .register(diaries::Entity),
            "renamed table" => builder
                .register(users::Entity)
                .register(articles::Entity)
                .register(diaries::Entity),
            "renamed value" => builder
                .register(users::Entity)
                .register(posts::Entity)
                .register(blue_diaries::Entity),
            other => panic!("there is no state {other:?}"),
        }
    });
    if !declared {
        return entities;
    }
    entities.after_tables(declared_beside)
}

/// The statements of the state `declared`.
fn declared_beside(backend: DbBackend) -> Vec<&'static str> {
    let mut statements = vec![
        "CREATE VIEW titles AS SELECT id, title FROM posts",
        "CREATE INDEX posts_by_length ON posts (title, id)",
    ];
    statements.extend(match backend {
        DbBackend::Postgres => vec![
            "ALTER TABLE posts ADD CONSTRAINT posts_titled CHECK (title <> '')",
            "CREATE INDEX posts_of_the_first ON posts (title) WHERE user_id = 1",
            "CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.title := trim(NEW.title); RETURN NEW; END $$",
            "CREATE TRIGGER posts_trimmed BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION trimmed()",
        ],
        DbBackend::Sqlite => vec![
            "CREATE INDEX posts_of_the_first ON posts (title) WHERE user_id = 1",
            "CREATE TRIGGER posts_trimmed AFTER INSERT ON posts BEGIN \
             UPDATE posts SET title = trim(title) WHERE id = NEW.id; END",
        ],
        _ => vec![
            "ALTER TABLE posts ADD CONSTRAINT posts_titled CHECK (title <> '')",
            "CREATE TRIGGER posts_trimmed BEFORE INSERT ON posts FOR EACH ROW SET NEW.title = trim(NEW.title)",
        ],
    });
    statements
}

pub mod users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "String(StringLen::N(80))")]
        pub name: String,
        #[sea_orm(column_type = "String(StringLen::N(120))")]
        pub email: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A column that takes NULL, one that does not, and a unique key.
pub mod grown_users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "String(StringLen::N(80))")]
        pub name: String,
        #[sea_orm(column_type = "String(StringLen::N(120))", unique)]
        pub email: Option<String>,
        #[sea_orm(column_type = "Text")]
        pub bio: Option<String>,
        #[sea_orm(column_type = "String(StringLen::N(40))")]
        pub nickname: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod renamed_users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "String(StringLen::N(80))")]
        pub full_name: String,
        #[sea_orm(column_type = "String(StringLen::N(120))")]
        pub email: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod stated_users {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "users")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "String(StringLen::N(80))", renamed_from = "name")]
        pub full_name: String,
        #[sea_orm(column_type = "String(StringLen::N(120))")]
        pub email: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod posts {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub user_id: i32,
        #[sea_orm(column_type = "String(StringLen::N(200))")]
        pub title: String,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::users::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod indexed_posts {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "posts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub user_id: i32,
        #[sea_orm(column_type = "String(StringLen::N(200))", indexed)]
        pub title: String,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::grown_users::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod articles {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "articles")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub user_id: i32,
        #[sea_orm(column_type = "String(StringLen::N(200))")]
        pub title: String,
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::users::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod comments {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "comments")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(indexed)]
        pub post_id: i32,
        #[sea_orm(column_type = "Text")]
        pub body: String,
        #[sea_orm(belongs_to, from = "post_id", to = "id", on_delete = "Cascade")]
        pub post: BelongsTo<super::indexed_posts::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod diaries {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "diaries")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub mood: Mood,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
    pub enum Mood {
        #[sea_orm(string_value = "happy")]
        Happy,
        #[sea_orm(string_value = "sad")]
        Sad,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub mod blue_diaries {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "diaries")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub mood: Mood,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
    pub enum Mood {
        #[sea_orm(string_value = "happy")]
        Happy,
        #[sea_orm(string_value = "blue")]
        Blue,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
