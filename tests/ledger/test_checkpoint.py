"""Merkle roots over the log, and the entries that hold them."""

import os
import subprocess
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nhictl.ledger import checkpoint, signing, writer
from nhictl.ledger.chain import EMPTY, EntryType, compose, encode, parse, split, stamp
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


def public(key):
    return signing.trusted({"NHICTL_LEDGER_KEY": str(key)})


def codes(ledger, keys=frozenset()):
    return [(one.level, one.code) for one in verify(ledger, keys=keys)]


def rewritten(log_path, change):
    """Write the log anew from the start, `change` made to each entry's parts, the chain and the trees made good."""
    head, tree, lines = EMPTY, Range(), []
    for piece in log_path.read_bytes().splitlines():
        entry = parse(split(piece))
        data = dict(entry.data)
        if entry.type == "checkpoint":
            data |= as_data(tree)
        actor, data = change(dict(entry.actor), data)
        by = stamp(entry.run, actor)
        raw = compose(head, EntryType(entry.type), data=encode(data), time=entry.time, by=by)
        head, tree = split(raw).head, extend(tree, (raw,))
        lines.append(raw + b"\n")
    log_path.write_bytes(b"".join(lines))


def stripped(actor, data):
    kept = {name: value for name, value in data.items() if name not in ("key", "signature")}
    return {**actor, "name": "mallory"}, kept


def test_a_configured_key_signs_checkpoints(make, key):
    """The checkpoint carries key and signature, and verifies against that key; what came after it is said."""
    ledger = signed_ledger(make, key)
    (entry,) = ledger.entries(types=frozenset({"checkpoint"}))
    (said,) = verify(ledger, keys=frozenset({entry.data["key"]}))
    assert (said.level, said.message) == ("info", "1 entry is not covered by a signature yet")
    assert key.read_text().splitlines()[1] not in str(entry)


def test_without_a_trusted_key_it_is_said_that_signatures_prove_nothing(make, key):
    """A key that only the log names is nobody's."""
    assert codes(signed_ledger(make, key)) == [("info", "untrusted")]


def test_a_signature_by_another_key_is_found(make, key):
    """With a trusted key named, a checkpoint of another is an error, and none is left that is signed."""
    found = codes(signed_ledger(make, key), frozenset({"other"}))
    assert found == [("error", "signature"), ("error", "unsigned")]


def test_a_log_written_anew_without_signatures_is_found(make, key, log_path):
    """Chain and trees hold; only the trusted key knows that it signed."""
    ledger = signed_ledger(make, key)
    rewritten(log_path, stripped)
    assert codes(ledger) == []
    assert codes(ledger, public(key)) == [("error", "unsigned")]


def test_a_log_written_anew_with_its_old_signatures_is_found(make, key, log_path):
    """They are signatures of another tree."""
    ledger = signed_ledger(make, key)
    rewritten(log_path, lambda actor, data: ({**actor, "name": "mallory"}, data))
    assert codes(ledger, public(key)) == [("error", "signature"), ("error", "unsigned")]


def test_signing_may_begin_late_and_then_never_stops(make, key):
    """Unsigned checkpoints before the first signed one are covered by it; one after it is an error."""
    runs = ("run-1", None), ("run-2", signing.load(key)), ("run-3", None)
    found = []
    for run, signer in runs:
        ledger = make(run, signer=signer)
        with ledger.lock("apply") as appender:
            appender.append("correction", {})
        found.append(codes(ledger, public(key)))
    assert found == [
        [("error", "unsigned")],
        [("info", "uncovered")],
        [("error", "signature"), ("info", "uncovered")],
    ]


def test_public_keys_are_read_from_files(tmp_path):
    """As ssh-keygen writes them or in base64 alone, one a line."""
    raw = bytes(range(32))
    wire = b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + raw).decode()
    path = tmp_path / "keys"
    path.write_text(f"# ours\nssh-ed25519 {wire} ada@example.com\n\n{b64encode(raw[::-1]).decode()}\n")
    assert signing.trusted({}, [path]) == {b64encode(raw).decode(), b64encode(raw[::-1]).decode()}


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "ssh-ed25519", "ssh-rsa AAAA x", "AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n", "é"],
)
def test_what_is_no_public_key_is_refused(tmp_path, text):
    """Nothing of the file is shown: it may be the wrong one."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(LedgerError) as raised:
        signing.public_keys(path)
    assert "canary" not in str(raised.value)


def test_a_key_in_place_of_its_file_is_not_shown():
    """Somebody may take the option for the key itself."""
    with pytest.raises(LedgerError) as raised:
        signing.public_keys(Path("canary-4711"))
    assert "canary" not in str(raised.value)


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
    assert codes(signed_ledger(make, tmp_path / "id"), signing.trusted({}, [tmp_path / "id.pub"])) == [
        ("info", "uncovered")
    ]
    assert checkpoint.Range().root() == sha256().digest()


def test_reading_goes_on_from_the_last_checkpoint(ledger):
    """A scan keeps the tree of the last checkpoint and only the lines since."""
    with ledger.lock("apply") as appender:
        appender.append("correction", {})
    found = ledger.scan()
    assert (found.tree.size, len(found.pending)) == (3, 2)
