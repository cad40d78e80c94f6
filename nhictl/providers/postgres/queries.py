"""What is asked of the catalogs, as text. Every query is the same on PostgreSQL 15 and later.

Sources: the system catalogs' chapter of the PostgreSQL 15 to 18 documentation. Columns that came with 16 are read by
way of `to_jsonb`. No query reads a password or its verifier, only whether there is one.
"""

from __future__ import annotations

FIRST_NORMAL = 16384  # FirstNormalObjectId: roles below it are the bootstrap superuser and PostgreSQL's own

WHO = """
SELECT session_user::text, current_setting('server_version_num')::int, r.oid::bigint, r.rolsuper, r.rolcreaterole,
       has_column_privilege('pg_authid', 'rolpassword', 'SELECT'), pg_is_in_recovery(),
       has_function_privilege('pg_control_system()', 'EXECUTE'), pg_backend_pid(), current_setting('cluster_name')
FROM pg_roles r WHERE r.rolname = session_user
"""

SYSTEM = "SELECT system_identifier::text FROM pg_control_system()"

OWN = """
WITH RECURSIVE own(roleid) AS (
  SELECT m.roleid FROM pg_auth_members m WHERE m.member = %s::oid AND m.grantor <> m.member
     AND (coalesce((to_jsonb(m) ->> 'inherit_option')::bool, true)
          OR coalesce((to_jsonb(m) ->> 'set_option')::bool, true))
  UNION
  SELECT m.roleid FROM pg_auth_members m JOIN own ON m.member = own.roleid
   WHERE coalesce((to_jsonb(m) ->> 'inherit_option')::bool, true)
      OR coalesce((to_jsonb(m) ->> 'set_option')::bool, true)
)
SELECT r.rolname FROM pg_roles r JOIN own ON r.oid = own.roleid
"""

ROLES = """
SELECT r.oid::bigint, r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin,
       r.rolreplication, r.rolbypassrls, r.rolconnlimit,
       CASE WHEN isfinite(r.rolvaliduntil)
            THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
       coalesce(r.rolvaliduntil < now(), false), shobj_description(r.oid, 'pg_authid'), {password}
FROM pg_roles r WHERE %s::text[] IS NULL OR r.rolname = ANY(%s::text[])
"""
ASKED = "(SELECT a.rolpassword IS NOT NULL FROM pg_authid a WHERE a.oid = r.oid)"
UNASKED = "NULL::bool"

MEMBERS = """
SELECT m.roleid::bigint, g.rolname, m.member::bigint, u.rolname, m.grantor::bigint, b.rolname, m.admin_option,
       (to_jsonb(m) ->> 'inherit_option')::bool, (to_jsonb(m) ->> 'set_option')::bool,
       shobj_description(m.roleid, 'pg_authid'), g.rolcanlogin, shobj_description(m.member, 'pg_authid')
FROM pg_auth_members m
JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member LEFT JOIN pg_roles b ON b.oid = m.grantor
WHERE %s::bigint[] IS NULL OR m.member = ANY(%s::bigint[]::oid[]) OR m.roleid = ANY(%s::bigint[]::oid[])
"""

DATABASES = """
SELECT d.oid::bigint, d.datname, d.datallowconn,
       EXISTS (SELECT FROM pg_shdepend s WHERE s.dbid = d.oid AND s.refclassid = 'pg_authid'::regclass
                  AND s.deptype = 'a' AND (%s::bigint[] IS NULL OR s.refobjid = ANY(%s::bigint[]::oid[]))),
       d.datdba::bigint
FROM pg_database d
"""

OWNED = """
SELECT s.refobjid::bigint, coalesce(d.datname, ''), count(*)
FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
WHERE s.refclassid = 'pg_authid'::regclass AND s.deptype = 'o'
  AND (%s::bigint[] IS NULL OR s.refobjid = ANY(%s::bigint[]::oid[]))
GROUP BY 1, 2
"""

_WHO_HOLDS = """
SELECT o.on_, o.schema, o.name, o.col, coalesce(w.rolname, ''), a.grantee::bigint, coalesce(b.rolname, ''),
       a.privilege_type, a.is_grantable
FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a
LEFT JOIN pg_roles w ON w.oid = o.owner LEFT JOIN pg_roles b ON b.oid = a.grantor
WHERE a.grantee <> o.owner AND CASE WHEN a.grantee = 0 THEN {public} AND %s::bigint[] IS NULL ELSE
      a.grantee >= 16384 AND (%s::bigint[] IS NULL OR a.grantee = ANY(%s::bigint[]::oid[])) END
"""

_SHARED = """
WITH objects(on_, schema, name, col, owner, acl) AS (
  SELECT 'database', '', d.datname::text, '', d.datdba, coalesce(d.datacl, acldefault('d', d.datdba)) FROM pg_database d
   WHERE d.datallowconn OR NOT d.datistemplate
  UNION ALL SELECT 'tablespace', '', spcname, '', spcowner, spcacl FROM pg_tablespace WHERE spcacl IS NOT NULL
  UNION ALL SELECT 'parameter', '', parname, '', 10::oid, paracl FROM pg_parameter_acl
)
"""

_LOCAL = """
WITH named AS (SELECT oid, nspname::text, nspname IN ('pg_catalog', 'information_schema', 'pg_toast') AS system
                 FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'),
objects(on_, schema, name, col, owner, acl, system) AS (
  SELECT 'schema', '', s.nspname::text, '', s.nspowner, s.nspacl, n.system
    FROM pg_namespace s JOIN named n USING (oid) WHERE s.nspacl IS NOT NULL
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname, '', c.relowner, c.relacl,
         n.system
    FROM pg_class c JOIN named n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL
  UNION ALL
  SELECT 'column', n.nspname, c.relname, a.attname, c.relowner, a.attacl, n.system
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN named n ON n.oid = c.relnamespace
   WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
  UNION ALL
  SELECT 'function', n.nspname, quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')', '', p.proowner,
         coalesce(p.proacl, acldefault('f', p.proowner)), n.system OR NOT p.prosecdef
    FROM pg_proc p JOIN named n ON n.oid = p.pronamespace WHERE p.proacl IS NOT NULL OR (p.prosecdef AND NOT n.system)
  UNION ALL
  SELECT 'type', n.nspname, t.typname, '', t.typowner, t.typacl, true
    FROM pg_type t JOIN named n ON n.oid = t.typnamespace WHERE t.typacl IS NOT NULL
  UNION ALL SELECT 'language', '', lanname, '', lanowner, lanacl, true FROM pg_language WHERE lanacl IS NOT NULL
  UNION ALL
  SELECT 'foreign data wrapper', '', fdwname, '', fdwowner, fdwacl, false
    FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
  UNION ALL
  SELECT 'foreign server', '', srvname, '', srvowner, srvacl, false FROM pg_foreign_server WHERE srvacl IS NOT NULL
  UNION ALL
  SELECT 'large object', '', oid::text, '', lomowner, lomacl, false
    FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL
  UNION ALL
  SELECT CASE d.defaclobjtype WHEN 'r' THEN 'default tables' WHEN 'S' THEN 'default sequences'
              WHEN 'f' THEN 'default functions' WHEN 'T' THEN 'default types' WHEN 'n' THEN 'default schemas'
              ELSE 'default large objects' END,
         coalesce(n.nspname, ''), r.rolname, '', d.defaclrole, d.defaclacl, false
    FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole LEFT JOIN named n ON n.oid = d.defaclnamespace
   WHERE d.defaclacl IS NOT NULL
)
"""


def _exploded(objects: str, *, public: str) -> str:
    return objects + _WHO_HOLDS.format(public=public)


SHARED = _exploded(_SHARED, public="true")
LOCAL = _exploded(_LOCAL, public="NOT o.system")

# The first part says the type of a UNION: as `name` it would cut signatures after 63 bytes.
OBJECTS = """
SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, c.relname::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname = ANY(%s::text[])
UNION ALL
SELECT 'function', n.nspname, quote_ident(p.proname) || '(' || oidvectortypes(p.proargtypes) || ')'
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = ANY(%s::text[])
"""

ONE_ROLE = """
SELECT oid::bigint, rolname, rolcanlogin, rolinherit, rolconnlimit, shobj_description(oid, 'pg_authid')
FROM pg_roles WHERE {which}
"""

SESSIONS = """
SELECT pid, pg_has_role(session_user, usesysid, 'USAGE') OR pg_has_role(session_user, 'pg_signal_backend', 'USAGE')
FROM pg_stat_activity WHERE usesysid = %s::oid AND pid <> pg_backend_pid()
"""

TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = %s::oid AND pid = ANY(%s::int[])"

OWNED_OBJECTS = """
SELECT pg_describe_object(classid, objid, objsubid) FROM pg_shdepend
WHERE refclassid = 'pg_authid'::regclass AND refobjid = %s::oid AND deptype = 'o'
  AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())) ORDER BY 1 LIMIT 4
"""

LOCK = "SELECT pg_advisory_xact_lock(5639104861737443)"
"""The lock every nhictl takes, in the maintenance database, before it changes roles; any number would do."""
