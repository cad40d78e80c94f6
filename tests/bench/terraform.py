"""A Terraform estate of the same size: blocks of the built-in provider, and the state that has them already."""

from __future__ import annotations

import json
from pathlib import Path

_PROVIDER = 'provider["terraform.io/builtin/terraform"]'


def estate(root: Path, count: int) -> Path:
    """Write configuration and state of `count` objects; planning them finds nothing to do."""
    root.mkdir(parents=True, exist_ok=True)
    blocks = [f'resource "terraform_data" "nhi_{n}" {{\n  input = "service-{n}"\n}}\n' for n in range(count)]
    (root / "main.tf").write_text("\n".join(blocks))
    state = {
        "version": 4,
        "terraform_version": "1.5.0",
        "serial": 1,
        "lineage": "00000000-0000-0000-0000-000000000000",
        "outputs": {},
        "resources": [_resource(n) for n in range(count)],
    }
    (root / "terraform.tfstate").write_text(json.dumps(state))
    return root


def _resource(n: int) -> dict[str, object]:
    value = {"type": "string", "value": f"service-{n}"}
    attributes = {"id": f"00000000-0000-0000-0000-{n:012}", "input": value, "output": value, "triggers_replace": None}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"nhi_{n}",
        "provider": _PROVIDER,
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }
