"""Find the manifest that says already what a draft says, for drafts of what is no object by itself. Pure."""

from __future__ import annotations

from nhictl.importing.values import Given, LiveTarget
from nhictl.manifest.emit import literal
from nhictl.manifest.placement import exists_in, place
from nhictl.model import Document
from nhictl.providers.base import Draft


def said_already(given: Given, at: LiveTarget, draft: Draft) -> str:
    """Return the reference of the declared object that says the same in the same target; empty when there is none.

    Objects of the provider are known by their address; this is for what has none, such as a set of attachments.
    """
    if any(address in at.resources for address in draft.addresses):
        return ""
    wanted = literal(draft.spec)
    for document in given.checked.documents:
        if document.kind == draft.kind and _says(document, wanted) and _there(given, at, document):
            return document.ref
    return ""


def _says(document: Document, wanted: dict[str, object]) -> bool:
    spec = document.value["spec"]
    return all(spec.get(key) == value for key, value in wanted.items() if key != "description")


def _there(given: Given, at: LiveTarget, document: Document) -> bool:
    if not exists_in(document.value["spec"], given.environment.name):
        return False
    return any(t.name == at.target.name for t in place(document, given.environment, {}).targets)
