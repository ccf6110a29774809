//! Who may not make databases on MySQL and MariaDB: statements are read instead of run, and what is
//! read is what the server makes of them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use sea_orm::DbBackend;
use stairway_core::DatabaseUrl;
use stairway_core::side::{Compared, Entities, Side, Sources};
use stairway_plan::diff::{Answers, DiffOptions, PureJudge, Spelling, diff};
use stairway_plan::filter::Filter;

use crate::cases;
use crate::databases::{Backend, Database};
use crate::every_type;
use crate::laws::{number, spec, sql};
use crate::reading::{PASSWORD, as_user, name_of};

/// A database and a user that has all rights on it and none beside it.
struct Owned {
    database: Database,
    user: String,
    file: PathBuf,
}

impl Owned {
    async fn create() -> Self {
        let database = Database::create(Backend::Mysql).await;
        let name = name_of(&database);
        let user = format!("{}_o", name.replace("stairway_schema", "sw"));
        let mut statements = Vec::new();
        for host in ["%", "localhost"] {
            statements.push(format!(
                "CREATE USER '{user}'@'{host}' IDENTIFIED BY '{PASSWORD}'"
            ));
            statements.push(format!("GRANT ALL ON `{name}`.* TO '{user}'@'{host}'"));
        }
        database.run(&statements).await.expect("a user");
        let file = std::env::temp_dir().join(format!("{name}.sql"));
        Self {
            database,
            user,
            file,
        }
    }

    /// With the tables of every type's entities, made by the server.
    async fn with_entities() -> Self {
        let owned = Self::create().await;
        let connection = sea_orm::Database::connect(&owned.database.url)
            .await
            .expect("a connection");
        let made = every_type::schema(DbBackend::MySql)
            .apply(&connection)
            .await;
        connection.close().await.expect("a closed connection");
        made.expect("tables for the entities");
        owned
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&as_user(&self.database, &self.user)).expect("a URL")
    }

    /// Makes the database by the statements and compares it with them as they are read, both ways.
    async fn law(&mut self, statements: &[String]) -> Result<Vec<Compared>, String> {
        self.database.refill(statements).await?;
        let text: Vec<String> = statements.iter().map(|sql| format!("{sql};\n")).collect();
        std::fs::write(&self.file, text.concat()).expect("a file");
        let sources = Sources::new(self.url());
        let sides = [Side::Database(self.url()), Side::SqlFile(self.file.clone())];
        let mut both = Vec::new();
        for [from, to] in [[0, 1], [1, 0]] {
            let (filter, answers) = (Filter::default(), Answers::new());
            let compared = sources.compare(&sides[from], &sides[to], &filter, &answers);
            both.push(compared.await.map_err(|error| error.to_string())?);
        }
        Ok(both)
    }

    async fn drop(self) {
        let _ = std::fs::remove_file(&self.file);
        let users = ["%", "localhost"].map(|host| format!("DROP USER '{}'@'{host}'", self.user));
        self.database.run(&users).await.expect("no user");
        self.database.drop().await;
    }
}

/// What is different, be it in a name only.
fn found(both: &[Compared]) -> Vec<String> {
    let mut found = Vec::new();
    for compared in both {
        assert_eq!(compared.remarks.len(), 1, "{:?}", compared.remarks);
        let changes = compared.difference.changes.iter();
        found.extend(changes.map(|change| format!("{} ({:?})", change.description, change.sql)));
        let exact = DiffOptions {
            spelling: Spelling::Exact,
            ..compared.options
        };
        let (from, to) = (&compared.from, &compared.to);
        let difference = diff(from, to, &exact, &PureJudge, &Answers::new()).expect("one kind");
        let changes = difference.changes.iter();
        found.extend(changes.map(|change| format!("spelled: {}", change.description)));
    }
    found
}

/// What was passed over because only a server understands it.
fn passed_over(both: &[Compared]) -> Vec<&String> {
    let all = both
        .iter()
        .flat_map(|compared| &compared.difference.not_compared);
    all.filter(|text| text.contains("known to a server") || text.contains("by a server"))
        .collect()
}

fn is_there() -> bool {
    let is_there = Backend::Mysql.is_available();
    if !is_there {
        eprintln!("no mysql server to test on");
    }
    is_there
}

#[tokio::test]
async fn entities_are_read_as_the_server_makes_them() {
    if !is_there() {
        return;
    }
    let owned = Owned::with_entities().await;
    let mut sources = Sources::new(owned.url());
    sources.entities = Some(Entities::new(every_type::schema));
    let sides = [Side::Database(owned.url()), Side::Entities];
    let mut both = Vec::new();
    for [from, to] in [[0, 1], [1, 0]] {
        both.push(every_type::differences(&sources, &sides[from], &sides[to]).await);
    }
    owned.drop().await;
    assert_eq!(found(&both), Vec::<String>::new());
    assert_eq!(passed_over(&both), Vec::<&String>::new());
    assert!(both[0].to.tables.len() >= 4, "what is compared was read");
    let remark = &both[0].remarks[0];
    assert!(
        remark.contains(r"GRANT ALL ON `stairway\_scratch\_%`"),
        "{remark}"
    );
    assert!(!remark.contains(PASSWORD), "{remark}");
}

/// The same changes come out as with a scratch database.
#[tokio::test]
async fn a_difference_is_the_same_as_with_a_scratch_database() {
    if !is_there() {
        return;
    }
    let owned = Owned::with_entities().await;
    let drift = [
        "ALTER TABLE everything MODIFY COLUMN forty varchar(41), DROP COLUMN day, ADD COLUMN more int",
        "ALTER TABLE everything ALTER COLUMN number_with_default SET DEFAULT 8",
        "ALTER TABLE everything MODIFY COLUMN colour enum('red') NOT NULL COMMENT 'x'",
        "ALTER TABLE part DROP FOREIGN KEY `fk-part-next`",
        "DROP TABLE `keyed by text`",
    ]
    .map(str::to_owned);
    owned.database.run(&drift).await.expect("changes");
    let declared = |_| {
        vec![
            "CREATE INDEX everything_big_whole ON everything (big DESC, whole)",
            "ALTER TABLE everything ADD CONSTRAINT small CHECK (NOT (small > 5 AND tiny < 3))",
        ]
    };
    let mut differences = Vec::new();
    let root = DatabaseUrl::parse(&owned.database.url).expect("a URL");
    for url in [root, owned.url()] {
        let mut sources = Sources::new(url.clone());
        sources.entities = Some(Entities::new(every_type::schema).after_tables(declared));
        let live = Side::Database(url);
        let compared = every_type::differences(&sources, &live, &Side::Entities).await;
        let changes = compared.difference.changes.iter();
        // The server spells the check in its own way.
        let words = changes.map(
            |change| match change.description.split_once(" everything: ") {
                Some((check, _)) if check.contains("check") => check.to_owned(),
                _ => change.description.clone(),
            },
        );
        let changes: Vec<String> = words.collect();
        differences.push((changes, compared.remarks.len()));
    }
    owned.drop().await;
    assert!(differences[0].0.len() >= 8, "{:?}", differences[0].0);
    assert_eq!(differences[1].0, differences[0].0);
    assert_eq!([differences[0].1, differences[1].1], [0, 1], "remarks");
}

#[tokio::test]
async fn what_only_a_server_understands_is_named_and_left_as_it_is() {
    if !is_there() {
        return;
    }
    let mut owned = Owned::create().await;
    let statements = [
        "CREATE TABLE a (id int PRIMARY KEY, b varchar(20) DEFAULT (cast(7 AS char)), \
         CONSTRAINT odd CHECK (cast(b AS char) <> 'x'), g int GENERATED ALWAYS AS (cast(b AS int)) VIRTUAL)",
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2",
        "CREATE VIEW v AS SELECT id FROM a WHERE id > 1",
        "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW SET @touched = 1",
        "CREATE FUNCTION f(x int) RETURNS int DETERMINISTIC RETURN x + 1",
        "ALTER TABLE a MODIFY COLUMN id bigint",
    ]
    .map(str::to_owned);
    let both = owned
        .law(&statements[..5])
        .await
        .expect("statements that run");
    assert_eq!(found(&both), Vec::<String>::new());
    let words = passed_over(&both[..1]);
    for part in [
        "the default of column b of table a",
        "a check of table a",
        "the expression of column g of table a",
        "table p",
        "view v",
        "trigger t",
        "routine f",
    ] {
        assert!(
            words.iter().any(|word| word.contains(part)),
            "{part}: {words:?}"
        );
    }

    // A statement that changes a table in a way that is not read takes the whole table out.
    let both = owned.law(&statements).await.expect("statements that run");
    assert_eq!(found(&both), Vec::<String>::new());
    let words = passed_over(&both[..1]);
    assert!(
        words.iter().any(|word| word.contains("table a")),
        "{words:?}"
    );

    // One of which nobody knows what it reaches is refused, with what would help.
    std::fs::write(
        &owned.file,
        "CREATE TABLE a (id int);\nCALL everything();\n",
    )
    .expect("a file");
    let sources = Sources::new(owned.url());
    let (filter, answers) = (Filter::default(), Answers::new());
    let live = Side::Database(owned.url());
    let refused = sources
        .compare(&live, &Side::SqlFile(owned.file.clone()), &filter, &answers)
        .await
        .expect_err("a statement that may do anything")
        .to_string();
    assert!(refused.contains("CALL everything()"), "{refused}");
    assert!(refused.contains("GRANT"), "{refused}");
    owned.drop().await;
}

/// A dump that turns to its database, or names it, means the real one.
#[tokio::test]
async fn a_file_that_means_another_database_is_refused_before_anything_is_run() {
    if !is_there() {
        return;
    }
    let owned = Owned::create().await;
    let name = name_of(&owned.database);
    let table = "CREATE TABLE t (id int PRIMARY KEY)".to_owned();
    owned.database.run(&[table]).await.expect("a table");
    let root = DatabaseUrl::parse(&owned.database.url).expect("a URL");
    for (url, is_run) in [(root, true), (owned.url(), false)] {
        let sources = Sources::new(url.clone());
        let live = Side::Database(url);
        for text in [
            format!("CREATE TABLE a (id int);\nUSE `{name}`;\nDROP TABLE IF EXISTS t;\n"),
            format!("DROP TABLE `{name}`.t;\n"),
            format!("DROP DATABASE `{name}`;\n"),
        ] {
            std::fs::write(&owned.file, &text).expect("a file");
            let file = Side::SqlFile(owned.file.clone());
            let (filter, answers) = (Filter::default(), Answers::new());
            let compared = sources.compare(&live, &file, &filter, &answers).await;
            assert!(compared.is_err() || !is_run, "{text}");
        }
    }
    let tables = owned.database.run_script("SHOW TABLES;");
    owned.drop().await;
    assert_eq!(tables.expect("tables"), "t\n");
}

/// The statements of all cases.
#[tokio::test]
async fn the_statements_of_all_cases_are_read_as_the_server_makes_them() {
    if !is_there() {
        return;
    }
    let mut owned = Owned::create().await;
    let mut complaints = Vec::new();
    let (mut count, mut whole) = (0, 0);
    let mut tried = BTreeSet::new();
    for file in [
        "autogen_examples.json",
        "own.json",
        "own_more.json",
        "own_mysql.json",
    ] {
        for case in cases::load(file) {
            let mut backends = case["backends"].as_array().into_iter().flatten();
            if !backends.any(|backend| backend == Backend::Mysql.name()) {
                continue;
            }
            for side in ["before", "after"] {
                let statements = cases::statements(&case, side, Backend::Mysql);
                if statements.is_empty() || !tried.insert(statements.clone()) {
                    continue;
                }
                let Ok(both) = owned.law(&statements).await else {
                    continue;
                };
                count += 1;
                whole += usize::from(passed_over(&both).is_empty());
                let found = found(&both);
                if !found.is_empty() {
                    complaints.push(format!("{}\n  of {statements:?}", found.join("\n")));
                }
            }
        }
    }
    owned.drop().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    eprintln!("{whole} of {count} schemas were read as a whole");
    assert!(count > 50 && whole * 10 > count * 7, "{whole} of {count}");
}

/// Schemas that are drawn at random.
#[tokio::test]
async fn any_schema_is_read_as_the_server_makes_it() {
    if !is_there() {
        return;
    }
    let mut owned = Owned::create().await;
    let cases = number("STAIRWAY_LAW_CASES").unwrap_or(25);
    let mut seed = [9_u8; 32];
    seed[..8].copy_from_slice(&number("STAIRWAY_LAW_SEED").unwrap_or(1).to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (mut complaints, mut count) = (Vec::new(), 0);
    for _ in 0..cases {
        let drawn = spec::spec()
            .new_tree(&mut runner)
            .expect("a spec")
            .current();
        for after in [false, true] {
            let side = sql::Side {
                spec: &drawn,
                backend: Backend::Mysql,
                after,
            };
            let statements = side.statements();
            let Ok(both) = owned.law(&statements).await else {
                continue;
            };
            count += 1;
            let mut found = found(&both);
            let odd = passed_over(&both)
                .into_iter()
                .filter(|word| !word.starts_with("view ") && !word.starts_with("trigger "));
            found.extend(odd.cloned());
            if !found.is_empty() {
                complaints.push(format!("{}\n  of {statements:?}", found.join("\n")));
            }
        }
    }
    owned.drop().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(count > cases / 2, "{count} of {cases}");
}

/// On PostgreSQL a file is made in a schema that is rolled back, and never finds what is real.
#[tokio::test]
async fn a_file_is_compared_on_postgres_without_the_right_to_make_databases() {
    let backend = Backend::Postgres;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let name = name_of(&database);
    let user = format!("{name}_owner");
    let made = [
        format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'"),
        format!("GRANT CREATE ON DATABASE {name} TO {user}"),
        format!("GRANT ALL ON SCHEMA public TO {user}"),
    ];
    database.run(&made).await.expect("a user");
    let own = as_user(&database, &user);
    let url = DatabaseUrl::parse(&own).expect("a URL");
    let statements = "DROP TABLE IF EXISTS b; DROP TABLE IF EXISTS a;\n\
         CREATE TYPE mood AS ENUM ('x', 'y');\n\
         CREATE TABLE a (id serial PRIMARY KEY, m mood DEFAULT 'x', n numeric(10, 2) CHECK (n > 0));\n\
         CREATE TABLE b (id bigint GENERATED ALWAYS AS IDENTITY, a_id integer REFERENCES a (id), t text DEFAULT lower('X'));\n\
         CREATE UNIQUE INDEX only_some ON b (lower(t)) WHERE a_id IS NOT NULL;\n\
         CREATE VIEW v AS SELECT id FROM a WHERE m = 'x';\n";
    let script = format!("SET ROLE {user};\n{statements}RESET ROLE; INSERT INTO a (n) VALUES (1);");
    database.run(&[script]).await.expect("what is real");
    let file = std::env::temp_dir().join(format!("{name}.sql"));
    let sources = Sources::new(url.clone());
    let sides = [Side::Database(url), Side::SqlFile(file.clone())];
    std::fs::write(&file, statements).expect("a file");
    let mut found = Vec::new();
    let mut remarks = Vec::new();
    for [from, to] in [[0, 1], [1, 0]] {
        let compared = every_type::differences(&sources, &sides[from], &sides[to]).await;
        let changes = compared.difference.changes.into_iter();
        found.extend(changes.map(|change| format!("{}: {:?}", change.description, change.sql)));
        remarks.extend(compared.remarks);
    }
    std::fs::write(
        &file,
        format!("{statements}ALTER TABLE a ADD COLUMN more int;"),
    )
    .expect("a file");
    let other = every_type::differences(&sources, &sides[0], &sides[1]).await;
    let mut refused = Vec::new();
    for text in [
        "CREATE TABLE public.c (id int)",
        "COMMIT; DROP TABLE a",
        "INSERT INTO a (n) VALUES (2)",
    ] {
        std::fs::write(&file, text).expect("a file");
        let (filter, answers) = (Filter::default(), Answers::new());
        let compared = sources
            .compare(&sides[0], &sides[1], &filter, &answers)
            .await;
        refused.push(compared.expect_err(text).to_string());
    }
    let left = database.run_script(
        "SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'stairway%');",
    );
    let dropped = [
        format!("DROP OWNED BY {user} CASCADE"),
        format!("DROP ROLE {user}"),
    ];
    let dropped = database.run(&dropped).await;
    let _ = std::fs::remove_file(&file);
    database.drop().await;
    dropped.expect("no user");
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(
        remarks.len() == 2 && remarks.iter().all(|remark| remark.contains("rolled back")),
        "{remarks:?}"
    );
    let changes = other.difference.changes.iter();
    let changes: Vec<&str> = changes.map(|change| change.description.as_str()).collect();
    assert_eq!(changes, ["+ column a.more integer"]);
    for (refused, word) in
        refused
            .iter()
            .zip(["the schema public", "transactions", "no definition"])
    {
        assert!(refused.contains(word), "{refused}");
    }
    assert_eq!(left.expect("counts").trim(), "1|0");
}

/// Conditions that are understood without a server.
const CONDITIONS: &str = r#"
a >= -5 | a between -5 and 9000000000 | a <> 99 or a is null | not (a = 98) | a > -10 and (a < 91 or a > 92)
length(b) < 100 | b not in ('u','v') | b not like 'zz%' | lower(b) <> 'no' and b <> 'it''s not' | c in (true,false)
c or not c | a is null or a is not null | a+1*2 > 3 | (a+1)*2 > 3 | a - (1 - 2) > 0 | a % 2 = 0 | a mod 2 = 0
a div 2 = 0 | a/2 = 1 | char_length(b) > 2 | upper(b)='X' | substring(b,1,2)='ab' | b regexp '^a' | b like '%x' escape '!'
coalesce(a,0)=0 | ifnull(a,0)=0 | if(a>0,1,0) = 1 | case when a>0 then 1 else 0 end = 1 | a = b | a <=> 3 | a != 3 | a & 3 > 0
~a > 1 | !a | -a > 0 | json_valid(b) | trim(b) <> '' | e > '2020-01-01' | d > 1.50 | d > 1e3 | a in (1) | abs(a) > 0
concat(b,'x') <> '' | b collate utf8mb4_bin = 'x' | a between 1 and 2 or a between 5 and 6 | a not between 1 and 2
not a between 1 and 2 | not (a > 1 and a < 5) | not (a>1 or a<5) | not a in (1,2) | not b like 'x' | not a is null
a is true | a is not false | not not c | a and c | a && c | greatest(a,1) > 0 | round(d,1)>0 | a > 1 > 2 | (a > 1) = (a > 2)
((a))>1 | a > 1 and (c or (a < 3 and c)) | a > 1 and (c and a < 3) | (a > 1 and c) or (a < 3) | not (c or a is null)
not (b not like 'x') | a = 1 or a = 2 or c | a > +5 | a > 5.10 | a > .5 | b = "dq" | b = 'back\\slash' | b = 'ä' | b = '😀'
a*2-1 > a-(2+1) | b = _utf8mb4'x' | a > true | a is null = 0 | year(e) > 2000 | a > (case c when 1 then 2 end)
nullif(a,0) > 1 | json_extract(b,'$.a') = 1 | left(b,1) = 'a' | replace(b,'a','b') = 'x' | length(trim(b)) > 0
octet_length(b) > 0 | substr(b,2) = 'a' | mod(a,2)=0 | ceil(d) = 1 | floor(d) = 1 | pow(a,2) = 1 | locate('a', b) > 0
a between (1) and (2+1) | isnull(a) | a in (1,2) = 1 | b in ('x') | json_valid(b) and c | not json_valid(b) | b not regexp 'x'
not (a <=> 3) | instr(b,'x')>0 | day(e)=1 | month(e)=1 | hex(b)='x' | not (a is true) | (not a) = 1 | a in (1,2) or not c
unix_timestamp(e)>1 | lpad(b,2,'x')='x' | md5(b)='x' | sha2(b,256)='x' | sha1(b)='x' | ltrim(b)='x' | concat_ws(',',b,b)='x'
json_unquote(json_extract(b,'$.a'))='x' | json_type(b)='x' | json_length(b)>1 | sign(a)=1 | sqrt(a)=1 | truncate(d,1)=1
power(a,2)=1 | weekday(e)=1 | dayofweek(e)=1 | hour(e)=1 | quarter(e)=1 | character_length(b)=1 | mid(b,1,2)='a'
a or b = 'x' and c | b like 'x' = 1 | a + (b = 'x') > 1 | -5 < a | a > - 5 | a > -(5) | a > -(a) | strcmp(b,'x')=0
reverse(b)='x' | ascii(b)=1 | repeat(b,2)='x' | field(b,'x')>1 | find_in_set('x',b)>0 | a*(1+1) > (2) | a <= 5 is true
least(a,1)>0 | crc32(b)>1 | bit_count(a)>1 | b in (a, 'x') | a between 1 and 2 and c | a not in (1) | a in (null,1)
dayofyear(e) = 1 | minute(e) = 1 | second(e) = 1 | last_day(e) > e | rpad(b,2,'x')='x' | rtrim(b)='x' | right(b,1)='x' | to_days(e) > 1
json_array(a) <> '' | json_object('a', a) <> '' | a >> 1 > 0 | a << 1 > 0 | a ^ 3 > 0 | a * -1 < 1 | not exists_not = 1
unhex(b) = 'x' | a > 1 or a < -1 and not (c and b is null) | not (a + 1) | not -a | not b rlike 'x' | a is unknown | a is not null
"#;

#[tokio::test]
async fn conditions_are_understood_as_the_server_understands_them() {
    if !is_there() {
        return;
    }
    let mut owned = Owned::create().await;
    let conditions: Vec<&str> = CONDITIONS.split(['|', '\n']).map(str::trim).collect();
    let conditions = conditions.into_iter().filter(|text| !text.is_empty());
    let statements: Vec<String> = conditions
        .enumerate()
        .map(|(at, condition)| {
            format!(
                "CREATE TABLE t{at} (a int, b varchar(40), c boolean, d decimal(10,2), e datetime, exists_not int, \
                 CONSTRAINT ck{at} CHECK ({condition}))"
            )
        })
        .collect();
    let both = owned.law(&statements).await;
    owned.drop().await;
    let both = both.expect("statements that run");
    assert_eq!(found(&both), Vec::<String>::new());
    assert_eq!(passed_over(&both), Vec::<&String>::new());
    assert!(both[0].to.tables.len() > 150, "{}", both[0].to.tables.len());
}

/// Types, attributes and defaults in all the spellings that are understood.
const COLUMNS: &str = "
int default '7' | int default +7 | bigint(5) unsigned zerofill | int zerofill | integer(3) | int4 | int8 unsigned | middleint
bool default true | boolean not null default 0 | tinyint(1) unsigned | dec(5) | numeric(6,2) default 1 | fixed default -1.0
decimal(10,2) default '1.50' | float(10) | float(30) | real default 1.5 | double precision default 0.25 | double(5,2) | float4
bit | bit(3) default 5 | bit(3) default b'101' | char | char varying(5) | character(4) default 'a ' | varchar(3) default 7
varchar(9) character set latin1 | varchar(9) charset utf8 | varchar(9) character set latin1 collate latin1_bin default 'é'
varchar(9) collate utf8mb4_unicode_ci not null default '' | varchar(9) default '😀' comment 'é' | text(10) | text(100) | text(70000)
tinytext | mediumtext default 'x' | longtext default ('x') | blob(10) | blob default 'x' | varbinary(4) default 'ab'
binary(2) default 'ab' | date default '2024-02-29' | date default (curdate()) | datetime default '2024-01-01'
datetime(3) default '2024-01-01 10:00' | datetime default now() | datetime(6) default now(6) on update current_timestamp(6)
timestamp | timestamp not null default current_timestamp on update now() | timestamp(0) null | time default '10:00' | time(2) default '10:00:00'
year | year(4) default 2024 | enum('a ','b''c','d,e') default 'a' | set('x','y','z') default 'z,x' | json | json default '{}'
json default (json_object()) | json check (c <> '') | longtext check (json_valid(c)) | uuid | uuid default (uuid()) | inet6 | inet4
int default (1 + 2) | int default (5) | varchar(20) default (concat('a','b')) | varchar(36) default uuid() | int default null
int as (id + 1) | int generated always as (id * 2) stored | varchar(9) as (lower('X')) persistent | int check (c > 0)
int unique | int unique key comment 'u' | int invisible | geometry | point | geometrycollection | int references t0 (id)
int not null comment 'it''s \"quoted\" \\\\ here' | int references t0 (id) on delete cascade | int null
";

#[tokio::test]
async fn columns_are_understood_as_the_server_understands_them() {
    if !is_there() {
        return;
    }
    let mut owned = Owned::create().await;
    let columns = COLUMNS.split(['|', '\n']).map(str::trim);
    let columns: Vec<&str> = columns.filter(|text| !text.is_empty()).collect();
    // In all kinds of tables: what a column is depends on its table.
    for options in [
        "",
        " COLLATE utf8mb4_bin",
        " CHARACTER SET latin1 COMMENT 'a table'",
        " CHARSET=utf8mb3 ROW_FORMAT=COMPACT",
    ] {
        let mut statements = vec!["CREATE TABLE t0 (id int PRIMARY KEY)".to_owned()];
        for (at, column) in columns.iter().enumerate() {
            if options.contains("utf8mb3") || options.contains("latin1") {
                // What the table can't hold is no default.
                if column.contains('😀') {
                    continue;
                }
            }
            let at = at + 1;
            statements.push(format!(
                "CREATE TABLE t{at} (id int PRIMARY KEY, c {column}){options}"
            ));
        }
        let both = owned.law(&statements).await;
        let Ok(both) = both else {
            let why = both.expect_err("an error");
            owned.drop().await;
            panic!("{why}");
        };
        let (found, passed) = (found(&both), passed_over(&both));
        if !found.is_empty() || !passed.is_empty() {
            let words = format!("{options}: {}\n{passed:?}", found.join("\n"));
            owned.drop().await;
            panic!("{words}");
        }
    }
    owned.drop().await;
}
