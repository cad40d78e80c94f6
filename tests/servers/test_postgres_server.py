"""The clusters of the tests and the fault layer in front of them do what the other tests rely on."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from tests.servers.pgfaults import Fault, Proxy
from tests.servers.postgres import PgServer


def through(pg: PgServer, proxy: Proxy) -> psycopg.Connection:
    """Return a connection through the proxy."""
    return pg.connect(port=proxy.port)


def test_the_version_is_the_one_asked_for(pg):
    """15 is 15 and 18 is 18."""
    assert pg.sql("SHOW server_version_num")[0][0].startswith(str(pg.version))


def test_a_certificate_that_is_checked_is_accepted(pg):
    """The throwaway authority signs for the loopback."""
    with closing(pg.connect(sslmode="verify-full", sslrootcert=str(pg.ca))) as connection:
        assert connection.pgconn.ssl_in_use


def test_nothing_is_left_for_the_next_test(pg):
    """Databases, roles, what they own and what they were granted are gone."""
    pg.script("CREATE ROLE a; CREATE ROLE b; GRANT a TO b; CREATE TABLE t (x int); ALTER TABLE t OWNER TO b")
    pg.database("shop")
    pg.sql("GRANT CONNECT ON DATABASE shop TO a")

    pg.clean()

    assert pg.sql("SELECT rolname FROM pg_roles WHERE oid >= 16384") == []
    assert pg.sql("SELECT datname FROM pg_database WHERE datname = 'shop'") == []


def test_statements_are_counted_as_the_server_sees_them(pg, pg_proxy):
    """By simple and by extended protocol; only changing ones are changes."""
    with closing(through(pg, pg_proxy)) as connection:
        connection.execute("SELECT %s::int", [1])
        connection.execute("CREATE ROLE counted")
        connection.execute("SELECT pg_terminate_backend(0)")

    assert pg_proxy.changed() == 2
    assert [s.split()[0] for s in pg_proxy.asked()] == ["SELECT", "CREATE", "SELECT"]


@pytest.mark.parametrize(("kind", "made"), [("drop", False), ("lose", True), ("cut", True)])
def test_a_broken_statement_is_carried_out_or_not(pg, pg_proxy, kind, made):
    """Dropped before the server sees it, or its answer is lost after."""
    broken = pytest.raises(psycopg.OperationalError)
    with closing(through(pg, pg_proxy)) as connection, pg_proxy.fault(Fault(kind, changing=True)), broken:
        connection.execute("CREATE ROLE broken")

    assert (pg.sql("SELECT 1 FROM pg_roles WHERE rolname = 'broken'") == [(1,)]) == made


def test_a_lost_commit_has_taken_effect(pg, pg_proxy):
    """The fault waits for the COMMIT of the transaction that changes something."""
    with closing(through(pg, pg_proxy)) as connection, pg_proxy.fault(Fault("lose", changing=True)):
        connection.execute("BEGIN")
        connection.execute("CREATE ROLE committed")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("COMMIT")

    assert pg.sql("SELECT 1 FROM pg_roles WHERE rolname = 'committed'") == [(1,)]


def test_an_error_takes_the_place_of_the_server(pg, pg_proxy):
    """With the code asked for, once."""
    with closing(through(pg, pg_proxy)) as connection, pg_proxy.fault(Fault("error", "pg_roles", sqlstate="53300")):
        with pytest.raises(psycopg.errors.TooManyConnections):
            connection.execute("SELECT * FROM pg_roles")
        connection.execute("SELECT * FROM pg_roles")


def test_a_connection_can_be_refused(pg, pg_proxy):
    """As when nobody listens, once."""
    with pg_proxy.fault(Fault("refuse")), pytest.raises(psycopg.OperationalError):
        through(pg, pg_proxy)
    through(pg, pg_proxy).close()


def test_a_statement_can_be_held(pg, pg_proxy):
    """Until the gate opens it has not reached the server."""
    from concurrent.futures import ThreadPoolExecutor

    with closing(through(pg, pg_proxy)) as connection, ThreadPoolExecutor() as pool:
        with pg_proxy.fault(Fault("hold", changing=True)) as fault:
            running = pool.submit(connection.execute, "CREATE ROLE held")
            fault.reached.wait(10)
            before = pg.sql("SELECT 1 FROM pg_roles WHERE rolname = 'held'")
        running.result()

    assert before == []
    assert pg.sql("SELECT 1 FROM pg_roles WHERE rolname = 'held'") == [(1,)]
