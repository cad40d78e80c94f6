"""The query protocol of IAM and STS as the strict layer sees it: requests, replies, errors."""

from __future__ import annotations

import http.client
import re
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
ET.register_namespace("", NAMESPACE)
_READING = ("Get", "List", "Simulate", "Generate", "Decode")
_CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/[^/]+/([^/]+)/")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/xml"),)


class Refused(Exception):
    """What AWS would answer instead of doing it."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.message, self.status = code, message, status

    def reply(self) -> Reply:
        """Return the error as AWS writes it."""
        said = f"<Type>Sender</Type><Code>{self.code}</Code><Message>{escape(self.message)}</Message>"
        inner = f"<Error>{said}</Error><RequestId>{uuid.uuid4()}</RequestId>"
        return Reply(self.status, f'<ErrorResponse xmlns="{NAMESPACE}">{inner}</ErrorResponse>'.encode())


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `key` is the access key that signed it."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str]
    service: str
    key: str

    @staticmethod
    def of(path: str, headers: Mapping[str, str], body: bytes) -> Request:
        """Parse a POST of the query protocol."""
        found = _CREDENTIAL.search(headers.get("Authorization", ""))
        params = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        return Request(path, headers, body, params, found[2] if found else "", found[1] if found else "")

    @property
    def action(self) -> str:
        """The operation: `CreateRole`."""
        return self.params.get("Action", "")

    @property
    def changing(self) -> bool:
        """True when the operation changes something that exists (asking for credentials does not)."""
        return not self.action.startswith(_READING) and self.service != "sts"

    def get(self, name: str) -> str:
        """Return a parameter, empty when it is absent."""
        return self.params.get(name, "")

    def members(self, name: str) -> list[str]:
        """Return a list parameter: `Name.member.1`, ..."""
        return [v for k, v in self.params.items() if re.fullmatch(rf"{name}\.member\.\d+", k)]

    def tags(self) -> list[tuple[str, str]]:
        """Return the `Tags` parameter."""
        found = []
        for key, value in self.params.items():
            if at := re.fullmatch(r"Tags\.member\.(\d+)\.Key", key):
                found.append((value, self.params.get(f"Tags.member.{at[1]}.Value", "")))
        return found


def tag_params(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the `Tags` parameter of a call."""
    found = {}
    for index, (key, value) in enumerate(sorted(tags.items()), 1):
        found |= {f"Tags.member.{index}.Key": key, f"Tags.member.{index}.Value": value}
    return found


class Upstream:
    """The server behind, one connection per thread."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._local = threading.local()

    def send(self, request: Request, params: Mapping[str, str] | None = None, *, account: str = "") -> Reply:
        """Forward a request, with other parameters if given, as the same caller or in another account."""
        body = request.body if params is None else urlencode(params).encode()
        headers = {
            k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length", "connection")
        }
        if account:
            headers["x-moto-account-id"] = account
        for again in (True, False):
            connection = self._connection()
            try:
                connection.request("POST", request.path, body=body, headers=headers)
                got = connection.getresponse()
                kept = tuple((k, v) for k, v in got.getheaders() if k.lower() in ("content-type", "x-amzn-requestid"))
                return Reply(got.status, got.read(), kept)
            except (http.client.HTTPException, ConnectionError):
                self._local.connection = None
                if not again:
                    raise
        raise AssertionError("unreachable")

    def ask(self, request: Request, action: str, *, account: str = "", **params: str) -> ET.Element | None:
        """Return the reply to a question of our own, None when the object does not exist."""
        asked = {"Action": action, "Version": "2010-05-08", **params}
        reply = self.send(request, asked, account=account)
        return ET.fromstring(reply.body) if reply.status == 200 else None

    def _connection(self) -> http.client.HTTPConnection:
        found = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return found


def local(element: ET.Element) -> str:
    """Return the name of an element without namespace."""
    return element.tag.rpartition("}")[2]


def every(root: ET.Element | None, name: str) -> Iterator[ET.Element]:
    """Yield all elements called `name` below."""
    if root is not None:
        yield from (e for e in root.iter() if local(e) == name)


def texts(root: ET.Element | None, name: str) -> list[str]:
    """Return the texts of all elements called `name`."""
    return [e.text or "" for e in every(root, name)]


def child(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    """Append an element."""
    made = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    made.text = text or None
    return made


def written(root: ET.Element) -> bytes:
    """Return XML as bytes."""
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def done(action: str, result: ET.Element | None = None) -> Reply:
    """Return the reply to a call that the strict layer answers by itself."""
    root = ET.Element(f"{{{NAMESPACE}}}{action}Response")
    root.append(result if result is not None else ET.Element(f"{{{NAMESPACE}}}{action}Result"))
    child(child(root, "ResponseMetadata"), "RequestId", str(uuid.uuid4()))
    return Reply(200, written(root))
