//! The catalogue queries.
//!
//! They are to run in one `REPEATABLE READ READ ONLY` transaction with an empty search path, so that
//! every name comes out qualified and therefore always the same. Their number does not depend on how
//! much there is. Every value comes as text; lists come as JSON.

use super::others;

/// What to run before the queries, in this order.
pub const BEGIN: &[&str] = &[
    "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
    "SET LOCAL search_path = ''",
    // Compiling a query of this size takes longer than running it.
    "SET LOCAL jit = off",
];

/// What to run after the queries.
pub const END: &str = "ROLLBACK";

/// The oldest server version whose catalogues are understood, as `server_version_num` says it.
pub const OLDEST_VERSION: u32 = 120_000;

/// The first query: which server it is. Its rows are needed to choose the text of the others.
pub const SERVER: CatalogueQuery = CatalogueQuery {
    name: "server",
    sql: "SELECT current_setting('server_version'), current_setting('server_version_num')",
};

/// One query and what it is called in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CatalogueQuery {
    /// What it reads, in a word.
    pub name: &'static str,
    /// Its text. [`CatalogueQuery::for_version`] says what to send.
    pub sql: &'static str,
}

impl CatalogueQuery {
    /// The text for a server: newer columns are replaced by constants where they do not exist.
    pub fn for_version(&self, version: u32) -> String {
        let since = |first: u32, text: &'static str, instead: &'static str| {
            if version >= first { text } else { instead }
        };
        self.sql
            .replace("{user_schemas}", USER_SCHEMAS)
            .replace(
                "{nulls_not_distinct}",
                since(150_000, "i.indnullsnotdistinct", "false"),
            )
            .replace(
                "{set_columns}",
                since(150_000, "c.confdelsetcols", "NULL::smallint[]"),
            )
            .replace("{multirange}", since(140_000, "r.rngmultitypid", "0"))
            .replace(
                "{compressed}",
                since(140_000, "a.attcompression <> ''", "false"),
            )
            .replace("{not_of_extension}", NOT_OF_EXTENSION)
            .replace("{own_trigger}", since(130_000, "t.tgparentid = 0", "true"))
            .replace(
                "{operator_class_options}",
                since(130_000, "array_to_string(ia.attoptions, ', ')", "NULL"),
            )
    }
}

impl CatalogueQuery {
    /// The text for a server that shows what the session has made in its temporary schema, too.
    pub fn with_temporary_objects(&self, version: u32) -> String {
        let own = "pg_my_temp_schema()";
        self.for_version(version)
            .replace(USER_SCHEMAS, &format!("({USER_SCHEMAS} OR n.oid = {own})"))
            .replace(
                "c.relpersistence <> 't'",
                &format!("(c.relpersistence <> 't' OR c.relnamespace = {own})"),
            )
    }
}

/// The condition that a schema `n` is not the server's own.
const USER_SCHEMAS: &str = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'";

/// The condition that an object `o` belongs to no extension and is no part of another object.
const NOT_OF_EXTENSION: &str = "NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = o.tableoid AND e.objid = o.oid AND e.deptype IN ('e', 'i'))";

/// All further queries, in the order in which [`super::read`] expects their rows.
pub const QUERIES: &[CatalogueQuery] = &[
    CatalogueQuery {
        name: "schemas and extensions",
        sql: "
SELECT 'schema', n.nspname, obj_description(n.oid, 'pg_namespace'), NULL
FROM pg_catalog.pg_namespace n
WHERE {user_schemas}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_namespace'::regclass AND d.objid = n.oid
                    AND d.deptype = 'e')
UNION ALL
SELECT 'extension', e.extname, n.nspname, e.extversion
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
ORDER BY 1, 2",
    },
    CatalogueQuery {
        name: "tables and views",
        sql: "
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
       c.relforcerowsecurity, to_json(c.reloptions),
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END,
       (SELECT json_agg(json_build_array(pn.nspname, p.relname) ORDER BY h.inhseqno)
        FROM pg_catalog.pg_inherits h
        JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
        JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
        WHERE h.inhrelid = c.oid),
       d.description, c.relacl IS NOT NULL, c.reltype
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
WHERE {user_schemas} AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't'
  AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
ORDER BY n.nspname, c.relname",
    },
    CatalogueQuery {
        name: "columns",
        sql: "
SELECT a.attrelid, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
       b.typtype, bn.nspname, b.typname, t.typcategory = 'A' AND t.typelem <> 0,
       a.attnotnull, a.attidentity, a.attgenerated, pg_get_expr(ad.adbin, ad.adrelid),
       CASE WHEN a.attcollation <> t.typcollation
            THEN quote_ident(con.nspname) || '.' || quote_ident(co.collname) END,
       a.attislocal, d.description
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_type b
     ON b.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace con ON con.oid = co.collnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = a.attrelid AND d.classoid = 'pg_catalog.pg_class'::regclass
      AND d.objsubid = a.attnum
WHERE {user_schemas} AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't'
  AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum",
    },
    CatalogueQuery {
        name: "constraints",
        sql: "
SELECT c.oid, c.conrelid, c.contypid, c.conname, c.contype, to_json(c.conkey), fn.nspname,
       f.relname,
       (SELECT json_agg(fa.attname ORDER BY k.position)
        FROM unnest(c.confkey) WITH ORDINALITY k (attnum, position)
        JOIN pg_catalog.pg_attribute fa ON fa.attrelid = c.confrelid AND fa.attnum = k.attnum),
       c.confupdtype, c.confdeltype, c.confmatchtype, c.condeferrable, c.condeferred,
       c.convalidated, c.connoinherit, c.conislocal,
       CASE WHEN c.contype = 'c' THEN pg_get_expr(c.conbin, c.conrelid)
            WHEN c.contype = 'x' THEN pg_get_constraintdef(c.oid) END,
       to_json({set_columns}), to_json(i.indkey::smallint[]), i.indnkeyatts,
       {nulls_not_distinct}, d.description
FROM pg_catalog.pg_constraint c
JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
LEFT JOIN pg_catalog.pg_class f ON f.oid = c.confrelid
LEFT JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid AND c.contype IN ('p', 'u')
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_constraint'::regclass
WHERE {user_schemas} AND c.contype IN ('p', 'u', 'f', 'c', 'x') AND c.conparentid = 0
ORDER BY c.conrelid, c.contypid, c.conname",
    },
    CatalogueQuery {
        name: "indexes",
        sql: "
SELECT ic.oid, i.indrelid, ic.relname, i.indisunique, am.amname, i.indisvalid,
       {nulls_not_distinct}, to_json(ic.reloptions), pg_get_expr(i.indpred, i.indrelid),
       i.indnkeyatts, keys.list, d.description,
       (SELECT json_agg(DISTINCT p.refobjsubid)
        FROM pg_catalog.pg_depend p
        WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.objid = ic.oid
          AND p.refclassid = 'pg_catalog.pg_class'::regclass AND p.refobjid = i.indrelid
          AND p.refobjsubid > 0)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am am ON am.oid = ic.relam
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_array(
               i.indkey[k],
               CASE WHEN i.indkey[k] = 0
                    THEN pg_get_indexdef(i.indexrelid, k + 1, false) END,
               i.indoption[k],
               CASE WHEN k < i.indnkeyatts AND (NOT oc.opcdefault OR ia.attoptions IS NOT NULL)
                         AND oc.opcname <> 'varchar_ops'
                    THEN quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) END,
               {operator_class_options},
               CASE WHEN k < i.indnkeyatts AND i.indcollation[k] <> 0
                         AND i.indcollation[k] <> coalesce(ta.attcollation, kt.typcollation)
                    THEN quote_ident(kn.nspname) || '.' || quote_ident(kc.collname) END)
           ORDER BY k) AS list
    FROM generate_series(0, i.indnatts - 1) k
    JOIN pg_catalog.pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = k + 1
    JOIN pg_catalog.pg_type kt ON kt.oid = ia.atttypid
    LEFT JOIN pg_catalog.pg_attribute ta ON ta.attrelid = i.indrelid AND ta.attnum = i.indkey[k]
                                        AND ta.attnum > 0
    LEFT JOIN pg_catalog.pg_opclass oc ON k < i.indnkeyatts AND oc.oid = i.indclass[k]
    LEFT JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
    LEFT JOIN pg_catalog.pg_collation kc ON k < i.indnkeyatts AND kc.oid = i.indcollation[k]
    LEFT JOIN pg_catalog.pg_namespace kn ON kn.oid = kc.collnamespace) keys
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = ic.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
WHERE {user_schemas} AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND NOT c.relispartition
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint o
                  WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, ic.relname",
    },
    CatalogueQuery {
        name: "enums and domains",
        sql: "
SELECT t.oid, n.nspname, t.typname, t.typtype,
       (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
        FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid),
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END,
       b.typtype, bn.nspname, b.typname, bt.typcategory = 'A' AND bt.typelem <> 0,
       t.typnotnull, pg_get_expr(t.typdefaultbin, 0),
       CASE WHEN t.typcollation <> bt.typcollation
            THEN quote_ident(con.nspname) || '.' || quote_ident(co.collname) END,
       d.description, t.typarray
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type bt ON t.typtype = 'd' AND bt.oid = t.typbasetype
LEFT JOIN pg_catalog.pg_type b
       ON b.oid = CASE WHEN bt.typcategory = 'A' AND bt.typelem <> 0 THEN bt.typelem
                       ELSE bt.oid END
LEFT JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
LEFT JOIN pg_catalog.pg_collation co ON co.oid = t.typcollation
LEFT JOIN pg_catalog.pg_namespace con ON con.oid = co.collnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_type'::regclass
WHERE {user_schemas} AND t.typtype IN ('e', 'd')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid
                    AND e.deptype = 'e')
ORDER BY n.nspname, t.typname",
    },
    CatalogueQuery {
        name: "sequences",
        sql: "
SELECT c.oid, n.nspname, c.relname, pg_catalog.format_type(s.seqtypid, NULL), s.seqstart,
       s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle, o.refobjid, o.refobjsubid,
       o.deptype, d.description
FROM pg_catalog.pg_sequence s
JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend o
       ON o.classid = 'pg_catalog.pg_class'::regclass AND o.objid = c.oid
      AND o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjsubid > 0
      AND o.deptype IN ('a', 'i')
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = c.oid AND d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
WHERE {user_schemas} AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
ORDER BY n.nspname, c.relname",
    },
    CatalogueQuery {
        name: "triggers and policies",
        sql: "
SELECT 'trigger', t.oid, t.tgrelid, t.tgname, t.tgenabled, pg_get_triggerdef(t.oid), NULL, NULL,
       NULL, d.description
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_trigger'::regclass
WHERE {user_schemas} AND NOT t.tgisinternal AND {own_trigger} AND c.relpersistence <> 't'
UNION ALL
SELECT 'policy', p.oid, p.polrelid, p.polname, p.polcmd, p.polpermissive::text,
       (SELECT json_agg(coalesce(r.rolname, 'PUBLIC') ORDER BY r.rolname)::text
        FROM unnest(p.polroles) o (oid) LEFT JOIN pg_catalog.pg_roles r ON r.oid = o.oid),
       pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
       d.description
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = p.oid AND d.classoid = 'pg_catalog.pg_policy'::regclass
WHERE {user_schemas}
ORDER BY 1, 3, 4",
    },
    CatalogueQuery {
        name: "functions",
        sql: "
SELECT p.oid, n.nspname, p.proname, pg_catalog.oidvectortypes(p.proargtypes),
       pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), p.prokind,
       pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc')
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE {user_schemas} AND p.prokind IN ('f', 'p')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid
                    AND e.deptype IN ('e', 'i'))
ORDER BY n.nspname, p.proname, 4",
    },
    // What the model shows by itself (a constraint on its columns, an index on its table) is left
    // out. 16384 is the first number that the server gives to objects of users.
    CatalogueQuery {
        name: "dependencies",
        sql: "
SELECT found.class, found.oid::text, found.position, found.needed_class, found.needed::text,
       found.needed_position
FROM (
SELECT DISTINCT k.class, coalesce(r.ev_class, ad.adrelid, d.objid) AS oid,
       coalesce(ad.adnum, 0) AS position, rk.class AS needed_class, d.refobjid AS needed,
       CASE WHEN rk.class = 'pg_class' THEN d.refobjsubid ELSE 0 END AS needed_position
FROM pg_catalog.pg_depend d
CROSS JOIN LATERAL (SELECT relname AS class FROM pg_catalog.pg_class WHERE oid = d.classid) k
CROSS JOIN LATERAL (SELECT relname AS class FROM pg_catalog.pg_class WHERE oid = d.refclassid) rk
LEFT JOIN pg_catalog.pg_rewrite r ON k.class = 'pg_rewrite' AND r.oid = d.objid
LEFT JOIN pg_catalog.pg_attrdef ad ON k.class = 'pg_attrdef' AND ad.oid = d.objid
WHERE d.objid >= 16384 AND d.refobjid >= 16384 AND d.deptype IN ('n', 'a')
  AND k.class IN ('pg_rewrite', 'pg_attrdef', 'pg_constraint', 'pg_proc', 'pg_trigger',
                  'pg_policy', 'pg_class', 'pg_type')
  AND rk.class IN ('pg_class', 'pg_proc', 'pg_type', 'pg_extension')
  AND (rk.class <> 'pg_class' OR k.class IN ('pg_rewrite', 'pg_attrdef', 'pg_trigger',
                                             'pg_policy', 'pg_proc'))) found
UNION ALL
SELECT 'extension', e.extname, 0, 'extension', f.extname, 0
FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_extension e ON e.tableoid = d.classid AND e.oid = d.objid
JOIN pg_catalog.pg_extension f ON f.tableoid = d.refclassid AND f.oid = d.refobjid
ORDER BY 1, 2, 3, 4, 5, 6",
    },
    CatalogueQuery {
        name: "what is not compared",
        sql: others::SQL,
    },
    // A range type with a canonical function can't be made in one statement, and takes a function in
    // C: it is left alone.
    CatalogueQuery {
        name: "composite and range types",
        sql: "
SELECT t.typtype, t.oid, t.typarray, n.nspname, t.typname, d.description, t.typrelid::text,
       (SELECT json_agg(json_build_array(
                   a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), b.typtype,
                   bn.nspname, b.typname, at.typcategory = 'A' AND at.typelem <> 0,
                   CASE WHEN a.attcollation <> at.typcollation
                        THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END,
                   col_description(a.attrelid, a.attnum), a.attnum) ORDER BY a.attnum)::text
        FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_type at ON at.oid = a.atttypid
        JOIN pg_catalog.pg_type b
          ON b.oid = CASE WHEN at.typcategory = 'A' AND at.typelem <> 0 THEN at.typelem
                          ELSE at.oid END
        JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
        LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
        LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
        WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
       NULL, NULL, NULL, NULL, NULL, NULL
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_class c ON c.oid = t.typrelid AND c.relkind = 'c'
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_type'::regclass
WHERE {user_schemas} AND t.typtype = 'c'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid
                    AND e.deptype = 'e')
UNION ALL
SELECT t.typtype, t.oid, t.typarray, n.nspname, t.typname, d.description, NULL,
       json_build_array(json_build_array(
           '', pg_catalog.format_type(st.oid, NULL), b.typtype, bn.nspname, b.typname,
           st.typcategory = 'A' AND st.typelem <> 0,
           CASE WHEN r.rngcollation <> st.typcollation
                THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END,
           NULL))::text,
       CASE WHEN NOT oc.opcdefault
            THEN quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) END,
       CASE WHEN r.rngsubdiff <> 0 THEN r.rngsubdiff::text END,
       mn.nspname, mt.typname, mt.oid, mt.typarray
FROM pg_catalog.pg_range r
JOIN pg_catalog.pg_type t ON t.oid = r.rngtypid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type st ON st.oid = r.rngsubtype
JOIN pg_catalog.pg_type b
  ON b.oid = CASE WHEN st.typcategory = 'A' AND st.typelem <> 0 THEN st.typelem ELSE st.oid END
JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
JOIN pg_catalog.pg_opclass oc ON oc.oid = r.rngsubopc
JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
LEFT JOIN pg_catalog.pg_collation co ON co.oid = r.rngcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
LEFT JOIN pg_catalog.pg_type mt ON mt.oid = {multirange}
LEFT JOIN pg_catalog.pg_namespace mn ON mn.oid = mt.typnamespace
LEFT JOIN pg_catalog.pg_description d
       ON d.objoid = t.oid AND d.classoid = 'pg_catalog.pg_type'::regclass
WHERE {user_schemas} AND r.rngcanonical = 0
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.classid = 'pg_catalog.pg_type'::regclass AND e.objid = t.oid
                    AND e.deptype = 'e')
ORDER BY 1, 4, 5",
    },
];
