//! What a database's own catalogue says of its schema, as lines of text to compare.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

/// Every fact about the schema, one line each, sorted; the history table is left out.
pub(crate) async fn read(db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    let backend = db.get_database_backend();
    let mut lines = Vec::new();
    for query in queries(backend) {
        for row in db
            .query_all_raw(Statement::from_string(backend, *query))
            .await?
        {
            let line: String = row.try_get("", "line")?;
            if !line.contains("seaql_migrations")
                && !line.contains("stairway_")
                && !line.contains("sqlite_sequence")
            {
                lines.push(line);
            }
        }
    }
    lines.sort();
    Ok(lines)
}

/// The same without what depends on the order in which columns were added.
pub(crate) fn without_positions(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = lines
        .iter()
        .filter(|line| !line.starts_with("sql "))
        .map(|line| {
            line.split(' ')
                .filter(|word| !word.starts_with('#'))
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    lines.sort();
    lines
}

/// Fails with the lines that only one side has.
#[track_caller]
pub(crate) fn assert_same(context: &str, left: &[String], right: &[String]) {
    let only = |these: &[String], those: &[String]| -> String {
        let lines: Vec<&str> = these
            .iter()
            .filter(|line| !those.contains(line))
            .map(String::as_str)
            .collect();
        lines.join("\n")
    };
    assert!(
        left == right,
        "{context}\n\nonly on the left:\n{}\n\nonly on the right:\n{}",
        only(left, right),
        only(right, left)
    );
}

fn queries(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => POSTGRES,
        DbBackend::MySql => MYSQL,
        _ => SQLITE,
    }
}

const POSTGRES: &[&str] = &[
    "SELECT format('relation %s %s', c.relname, c.relkind) AS line
     FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace",
    "SELECT format('column %s.%s #%s %s', c.relname, a.attname,
                   row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                   format_type(a.atttypid, a.atttypmod))
            || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
            || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
            || CASE WHEN a.attidentity <> '' THEN ' identity ' || a.attidentity::text ELSE '' END AS line
     FROM pg_attribute a
     JOIN pg_class c ON c.oid = a.attrelid
     LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
       AND a.attnum > 0 AND NOT a.attisdropped",
    "SELECT format('constraint %s on %s: %s', o.conname, c.relname, pg_get_constraintdef(o.oid)) AS line
     FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
     WHERE o.connamespace = 'public'::regnamespace",
    "SELECT 'index ' || pg_get_indexdef(i.indexrelid) AS line
     FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
     WHERE c.relnamespace = 'public'::regnamespace",
    "SELECT format('type %s: %s', t.typname, string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)) AS line
     FROM pg_type t JOIN pg_enum e ON e.enumtypid = t.oid
     WHERE t.typnamespace = 'public'::regnamespace GROUP BY t.oid, t.typname",
    "SELECT format('function %s', p.proname) AS line
     FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace",
];

const MYSQL: &[&str] = &[
    "SELECT CONVERT(concat('table ', table_name, ' ', table_type, ' ', engine, ' ', table_collation)
                    USING utf8mb4) AS line
     FROM information_schema.tables WHERE table_schema = database()",
    "SELECT CONVERT(concat('column ', table_name, '.', column_name, ' #', ordinal_position, ' ',
                           column_type, if(is_nullable = 'NO', ' not null', ''),
                           ifnull(concat(' default ', column_default), ''), ' ', extra,
                           ifnull(concat(' ', collation_name), '')) USING utf8mb4) AS line
     FROM information_schema.columns WHERE table_schema = database()",
    "SELECT CONVERT(concat('index ', index_name, ' on ', table_name, if(non_unique, ' ', ' unique '),
                           group_concat(column_name ORDER BY seq_in_index)) USING utf8mb4) AS line
     FROM information_schema.statistics WHERE table_schema = database()
     GROUP BY table_name, index_name, non_unique",
    "SELECT CONVERT(concat('foreign key ', r.constraint_name, ' on ', r.table_name, ' to ',
                           r.referenced_table_name, ' ', r.delete_rule, ' ', r.update_rule, ' ',
                           group_concat(k.column_name, '=', k.referenced_column_name
                                        ORDER BY k.ordinal_position)) USING utf8mb4) AS line
     FROM information_schema.referential_constraints r
     JOIN information_schema.key_column_usage k
       ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
      AND k.table_name = r.table_name
     WHERE r.constraint_schema = database()
     GROUP BY r.constraint_name, r.table_name, r.referenced_table_name, r.delete_rule, r.update_rule",
    "SELECT CONVERT(concat('check ', constraint_name, ' ', check_clause) USING utf8mb4) AS line
     FROM information_schema.check_constraints WHERE constraint_schema = database()",
];

const SQLITE: &[&str] = &[
    "SELECT 'sql ' || type || ' ' || name || ' ' || coalesce(sql, '') AS line
     FROM sqlite_master WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    "SELECT 'column ' || t.name || '.' || c.name || ' #' || c.cid || ' ' || c.type
            || iif(c.\"notnull\", ' not null', '') || coalesce(' default ' || c.dflt_value, '')
            || iif(c.pk, ' primary key ' || c.pk, '') AS line
     FROM sqlite_master t JOIN pragma_table_xinfo(t.name) c
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    "SELECT 'index ' || i.name || ' on ' || t.name || iif(i.\"unique\", ' unique ', ' ') || i.partial
            || ' ' || (SELECT group_concat(c.name || iif(c.desc, ' desc', '')) FROM
                       (SELECT * FROM pragma_index_xinfo(i.name) WHERE key ORDER BY seqno) c) AS line
     FROM sqlite_master t JOIN pragma_index_list(t.name) i
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'",
    "SELECT 'foreign key ' || t.name || '.' || f.\"from\" || ' to ' || f.\"table\" || '.' || f.\"to\"
            || ' ' || f.on_delete || ' ' || f.on_update AS line
     FROM sqlite_master t JOIN pragma_foreign_key_list(t.name) f
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'",
];
