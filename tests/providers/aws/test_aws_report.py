"""What the columns of the credential report mean."""

from __future__ import annotations

import pytest

from nhictl.providers.aws import report

HEAD = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
MADE, USED = "2026-01-02T03:04:05+00:00", "2026-05-06T07:08:09+00:00"


def credentials(**values: str) -> report.Facts:
    """Return the credentials of a user whose row has these columns and nothing else."""
    nothing = {name: "false" if name.endswith(("_active", "_enabled")) else "N/A" for name in HEAD.split(",")}
    cells = {**nothing, "user": "u", "arn": "arn:u", **values}
    found = report.told(f"{HEAD}\n{','.join(cells[name] for name in HEAD.split(','))}\n")["arn:u"]
    return (*found.keys, *found.others)


def test_a_user_without_credentials_has_none() -> None:
    """That is known: an empty tuple."""
    assert credentials() == ()


def test_a_key_tells_age_and_use() -> None:
    """Times become UTC with Z; a key without an end never expires."""
    used = credentials(access_key_2_active="true", access_key_2_last_rotated=MADE, access_key_2_last_used_date=USED)
    assert used == (
        {
            "kind": "access-key", "id": "access_key_2", "status": "active", "created": "2026-01-02T03:04:05Z",
            "last_used": "2026-05-06T07:08:09Z", "expires": "",
        },
    )  # fmt: skip


def test_an_inactive_key_is_still_a_key() -> None:
    """It can be activated again."""
    (found,) = credentials(access_key_1_last_rotated=MADE)
    assert (found["status"], found["last_used"]) == ("inactive", "")


@pytest.mark.parametrize(
    ("said", "known"),
    [("no_information", {"last_used": ""}), ("not_supported", {}), (USED, {"last_used": "2026-05-06T07:08:09Z"})],
)
def test_the_use_of_a_password_is_told_or_left_out(said: str, known: dict[str, str]) -> None:
    """`no_information` is no use that AWS knows of; what it does not support it does not know."""
    (found,) = credentials(password_enabled="TRUE", password_last_used=said)
    assert {k: v for k, v in found.items() if k == "last_used"} == known


def test_certificates_have_an_age_and_no_known_use() -> None:
    """The report does not tell whether a signing certificate was used."""
    (found,) = credentials(cert_1_active="true", cert_1_last_rotated=MADE)
    assert (found["kind"], found["created"]) == ("signing-certificate", "2026-01-02T03:04:05Z")
    assert "last_used" not in found
