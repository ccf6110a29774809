//! The query for what takes no part in a comparison: its kind, its schema where it has one, its name,
//! and how many there are. What a user can lose must at least be seen.

/// Its text, with the places that [`super::catalogue::CatalogueQuery::for_version`] fills.
pub(super) const SQL: &str = "
SELECT CASE t.typtype WHEN 'b' THEN 'base type' WHEN 'r' THEN 'range type'
            ELSE 'multirange type' END,
       n.nspname, t.typname, 1
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE {user_schemas}
  AND (t.typtype = 'b' AND t.typcategory <> 'A'
       OR EXISTS (SELECT FROM pg_catalog.pg_range r
                  WHERE t.oid IN (r.rngtypid, {multirange}) AND r.rngcanonical <> 0))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = t.oid AND e.deptype = 'e')
UNION ALL
SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' ELSE 'window function' END, n.nspname,
       p.proname, 1
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE {user_schemas} AND p.prokind IN ('a', 'w')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = p.oid AND e.deptype = 'e')
UNION ALL
SELECT 'foreign table', n.nspname, c.relname, 1
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {user_schemas} AND c.relkind = 'f'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'rule', n.nspname, c.relname || '.' || r.rulename, 1
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {user_schemas} AND r.rulename <> '_RETURN'
UNION ALL
SELECT 'statistics object', n.nspname, s.stxname, 1
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE {user_schemas}
UNION ALL
SELECT 'operator', n.nspname, o.oprname, 1
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
WHERE {user_schemas}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = o.oid AND e.deptype = 'e')
UNION ALL
SELECT 'collation', n.nspname, o.collname, 1
FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace
WHERE {user_schemas}
UNION ALL
SELECT 'text search configuration', n.nspname, o.cfgname, 1
FROM pg_catalog.pg_ts_config o JOIN pg_catalog.pg_namespace n ON n.oid = o.cfgnamespace
WHERE {user_schemas}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = o.oid AND e.deptype = 'e')
UNION ALL
SELECT 'text search dictionary', n.nspname, o.dictname, 1
FROM pg_catalog.pg_ts_dict o JOIN pg_catalog.pg_namespace n ON n.oid = o.dictnamespace
WHERE {user_schemas} AND {not_of_extension}
UNION ALL
SELECT 'text search parser', n.nspname, o.prsname, 1
FROM pg_catalog.pg_ts_parser o JOIN pg_catalog.pg_namespace n ON n.oid = o.prsnamespace
WHERE {user_schemas} AND {not_of_extension}
UNION ALL
SELECT 'text search template', n.nspname, o.tmplname, 1
FROM pg_catalog.pg_ts_template o JOIN pg_catalog.pg_namespace n ON n.oid = o.tmplnamespace
WHERE {user_schemas} AND {not_of_extension}
UNION ALL
SELECT 'conversion', n.nspname, o.conname, 1
FROM pg_catalog.pg_conversion o JOIN pg_catalog.pg_namespace n ON n.oid = o.connamespace
WHERE {user_schemas} AND {not_of_extension}
UNION ALL
SELECT 'operator class', n.nspname, o.opcname, 1
FROM pg_catalog.pg_opclass o JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace
WHERE {user_schemas} AND {not_of_extension}
UNION ALL
SELECT 'operator family', n.nspname, o.opfname, 1
FROM pg_catalog.pg_opfamily o JOIN pg_catalog.pg_namespace n ON n.oid = o.opfnamespace
WHERE {user_schemas} AND {not_of_extension}
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass c WHERE c.opcfamily = o.oid)
UNION ALL
SELECT 'cast', NULL, format_type(o.castsource, NULL) || ' as ' || format_type(o.casttarget, NULL), 1
FROM pg_catalog.pg_cast o
WHERE o.oid >= 16384 AND {not_of_extension}
UNION ALL
SELECT 'transform', NULL, format_type(o.trftype, NULL) || ' for ' || l.lanname, 1
FROM pg_catalog.pg_transform o JOIN pg_catalog.pg_language l ON l.oid = o.trflang
WHERE {not_of_extension}
UNION ALL
SELECT 'language', NULL, o.lanname, 1
FROM pg_catalog.pg_language o
WHERE o.oid >= 16384 AND {not_of_extension}
UNION ALL
SELECT 'access method', NULL, o.amname, 1
FROM pg_catalog.pg_am o
WHERE o.oid >= 16384 AND {not_of_extension}
UNION ALL
SELECT 'foreign data wrapper', NULL, o.fdwname, 1
FROM pg_catalog.pg_foreign_data_wrapper o
WHERE {not_of_extension}
UNION ALL
SELECT 'user mapping', NULL, usename || ' on ' || srvname, 1
FROM pg_catalog.pg_user_mappings
UNION ALL
SELECT 'subscription', NULL, s.subname, 1
FROM pg_catalog.pg_subscription s
JOIN pg_catalog.pg_database b ON b.oid = s.subdbid
WHERE b.datname = current_database()
UNION ALL
SELECT 'default privileges of', NULL,
       pg_get_userbyid(d.defaclrole) || coalesce(' in ' || quote_ident(n.nspname), ''), 1
FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
GROUP BY 3
UNION ALL
SELECT 'security labels of', NULL, l.provider, 1
FROM pg_catalog.pg_seclabel l
GROUP BY 3
UNION ALL
SELECT what.kind, n.nspname, c.relname, 1
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES
    ('replica identity of table', c.relkind IN ('r', 'p') AND c.relreplident <> 'd'),
    ('type behind table', c.reloftype <> 0),
    ('access method of table', c.relkind IN ('r', 'm') AND c.relam NOT IN (0, 2)),
    ('tablespace of', c.reltablespace <> 0)) what (kind, is_so)
WHERE {user_schemas} AND c.relkind IN ('r', 'p', 'm', 'i', 'I') AND NOT c.relispartition
  AND c.relpersistence <> 't' AND what.is_so
  AND (c.reloftype <> 0 OR c.reltablespace <> 0
       OR c.relkind IN ('r', 'p', 'm') AND (c.relreplident <> 'd' OR c.relam NOT IN (0, 2)))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'order of CLUSTER of table', n.nspname, c.relname, 1
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisclustered AND {user_schemas} AND NOT c.relispartition AND c.relpersistence <> 't'
UNION ALL
SELECT DISTINCT 'statistics of index', n.nspname, c.relname, 1
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE coalesce(a.attstattarget, -1) <> -1 AND a.attnum > 0 AND {user_schemas}
  AND c.relkind IN ('i', 'I') AND NOT c.relispartition AND c.relpersistence <> 't'
UNION ALL
SELECT 'storage or statistics of column', n.nspname, c.relname || '.' || a.attname, 1
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE {user_schemas} AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND a.attnum > 0
  AND NOT a.attisdropped
  AND (coalesce(a.attstattarget, -1) <> -1 OR a.attstorage <> t.typstorage OR {compressed}
       OR EXISTS (SELECT FROM unnest(a.attoptions) option WHERE starts_with(option, 'n_distinct')))
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                  WHERE e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'event trigger', NULL, evtname, 1 FROM pg_catalog.pg_event_trigger
UNION ALL
SELECT 'publication', NULL, pubname, 1 FROM pg_catalog.pg_publication
UNION ALL
SELECT 'foreign server', NULL, srvname, 1 FROM pg_catalog.pg_foreign_server
UNION ALL
SELECT 'partitions', pn.nspname, p.relname, count(*)
FROM pg_catalog.pg_inherits h
JOIN pg_catalog.pg_class c ON c.oid = h.inhrelid AND c.relispartition AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3";
