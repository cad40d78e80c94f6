"""Merkle roots over the log, and the entries that hold them."""

import os
import subprocess
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.ledger import checkpoint, signing, writer
from nhictl.ledger.checkpoint import Range, as_data, extend, from_data
from nhictl.ledger.verify import verify
from nhictl.model import LedgerError


def defined(leaves):
    """The tree head as RFC 6962 section 2.1 defines it, recursively."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + defined(leaves[:half]) + defined(leaves[half:])).digest()


def test_the_known_roots():
    """The test vectors of the certificate transparency implementations."""
    leaves = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
    assert (
        extend(Range(), leaves[:1]).root().hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert (
        extend(Range(), leaves[:2]).root().hex() == "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )
    assert extend(Range(), leaves).root().hex() == "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"


@given(st.lists(st.binary(max_size=4), max_size=70), st.integers(0, 70))
def test_a_tree_may_be_grown_in_parts(leaves, cut):
    """Wherever a checkpoint falls, going on from it gives the root of the definition."""
    half = from_data(as_data(extend(Range(), leaves[:cut])))
    assert extend(half, leaves[cut:]).root() == defined(leaves)


@pytest.mark.parametrize(
    "data",
    [{}, {"size": 1, "root": "0" * 64, "range": []}, {"size": 2, "root": "0" * 64, "range": ["00"]},
     {"size": "x", "root": "", "range": []}, {"size": 1, "root": 5, "range": ["zz"]},
     {"size": 1, "root": "", "range": 3}],
)  # fmt: skip
def test_a_checkpoint_that_does_not_agree_with_itself_is_refused(data):
    """Size, range and root belong together."""
    with pytest.raises(ValueError, match=r"."):
        from_data(data)


def test_long_runs_get_checkpoints_on_the_way(ledger, monkeypatch):
    """A checkpoint is written every so many entries and at the end, each over all lines before it."""
    monkeypatch.setattr(writer, "CHECKPOINT_EVERY", 10)
    with ledger.lock("apply") as appender:
        for number in range(35):
            appender.append("correction", {"n": number})
    found = [entry for entry in ledger.entries() if entry.type == "checkpoint"]
    assert [entry.data["size"] for entry in found] == [entry.seq for entry in found]
    assert len(found) == 4
    assert verify(ledger) == []


def test_a_killed_runs_lines_are_in_the_next_checkpoint(make, log_path):
    """The tree goes on over lines of runs that wrote no checkpoint."""
    with make().lock("apply") as appender:
        appender.append("correction", {})
        cut = log_path.read_bytes()
    log_path.write_bytes(cut)
    ledger = make("run-2")
    with ledger.lock("apply") as appender:
        appender.append("correction", {})
    assert [entry.data["size"] for entry in ledger.entries(types=frozenset({"checkpoint"}))] == [5]
    assert verify(ledger) == []


@pytest.fixture
def key(tmp_path):
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = tmp_path / "key.pem"
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    )
    return path


def signed_ledger(make, key):
    ledger = make(signer=signing.configured({"NHICTL_LEDGER_KEY": str(key)}))
    with ledger.lock("apply") as appender:
        appender.append("correction", {})
    return ledger


def test_a_configured_key_signs_checkpoints(make, key):
    """The checkpoint carries key and signature, and verifies, against the trusted key too."""
    ledger = signed_ledger(make, key)
    (entry,) = ledger.entries(types=frozenset({"checkpoint"}))
    assert verify(ledger, keys=frozenset({entry.data["key"]})) == []
    assert key.read_text().splitlines()[1] not in str(entry)


def test_a_signature_by_another_key_or_none_is_found(make, key):
    """With a trusted key named, a checkpoint without its signature is an error."""
    assert [one.code for one in verify(signed_ledger(make, key), keys=frozenset({"other"}))] == ["signature"]


def test_a_forged_signature_is_found(make, key, log_path):
    """A signature over another root does not hold, even where the chain was made good again."""
    ledger = signed_ledger(make, key)
    (entry,) = ledger.entries(types=frozenset({"checkpoint"}))
    other = extend(Range(), [b"x"])
    text = signing.statement(other, workspace="shop", environment="prod")
    assert signing.holds(entry.data, text) is False
    mine = signing.statement(from_data(entry.data), workspace="shop", environment="prod")
    assert signing.holds(entry.data, mine) is True
    assert signing.holds({**entry.data, "signature": "!"}, mine) is False


def test_an_unusable_key_is_an_error(tmp_path):
    """A key that was asked for and cannot be used never means unsigned."""
    pytest.importorskip("cryptography")
    (tmp_path / "key").write_text("not a key")
    for path in (tmp_path / "key", tmp_path / "absent", tmp_path):
        with pytest.raises(LedgerError):
            signing.load(path)
    assert signing.configured({}) is None


@pytest.mark.skipif(not os.path.exists("/usr/bin/ssh-keygen"), reason="needs ssh-keygen")  # noqa: PTH110
def test_an_openssh_key_signs_too(make, tmp_path):
    """The key may be what ssh-keygen writes."""
    pytest.importorskip("cryptography")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "id"], check=True)
    assert verify(signed_ledger(make, tmp_path / "id")) == []
    assert checkpoint.Range().root() == sha256().digest()


def test_reading_goes_on_from_the_last_checkpoint(ledger):
    """A scan keeps the tree of the last checkpoint and only the lines since."""
    with ledger.lock("apply") as appender:
        appender.append("correction", {})
    found = ledger.scan()
    assert (found.tree.size, len(found.pending)) == (3, 2)
