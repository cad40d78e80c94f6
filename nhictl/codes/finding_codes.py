"""The words a plan uses for what it does not do, for `nhictl explain WORD`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from nhictl.codes.code import Word

_ROWS = (
    Word(
        "blocked", "a change waits for something that is blocked",
        "The change needs another object, and a finding keeps that one out of the plan. Nothing is done by halves.",
        "Resolve the other findings of the plan first; this one goes with them.",
    ),
    Word(
        "conflict", "the live object is not the one nhictl manages",
        "It was deleted and made again by somebody else, or carries the mark of another workspace or environment. "
        "nhictl changes only what it made or was given.",
        "Take it over by name with `nhictl adopt`, with `--from OWNER` when another owner manages it; or remove it.",
    ),
    Word(
        "delete-limit", "the plan deletes more than the target's limit",
        "More objects than deletePercent and deleteMax allow would go in one apply: often a wrong directory or a "
        "lost file.",
        "Check what goes. If it is meant: apply in parts, raise the limits in nhictl.yaml, or use --override-safety "
        "with the plan's digest.",
    ),
    Word(
        "exists", "an object of that name is there already and is not managed",
        "The manifest would make an object whose name is taken. nhictl never takes over what it did not make unless "
        "a person says so.",
        "Take it over with `nhictl adopt REF`, or declare another name with nativeName.",
    ),
    Word(
        "foreign-access", "something that nhictl does not manage gives a managed identity access",
        "Somebody granted it by hand in the target. It is shown and left alone: nhictl changes only what it made or "
        "was given.",
        "Remove it in the target, or declare it and run `nhictl adopt ADDRESS`.",
    ),
    Word(
        "gone-target", "managed objects are in a target that is not configured any more",
        "The ledger knows objects in this target, and nhictl.yaml does not say how to reach it: nothing there is read "
        "or changed.",
        "Configure the target again, or give the objects up with `nhictl ledger forget TARGET --reason ...`.",
    ),
    Word(
        "ignored", "a rule of nhictl.yaml leaves the object alone",
        "Somebody else manages it (`spec.ignore`), and the plan would touch it all the same. Two that manage one "
        "object undo each other.",
        "Narrow the rule or let it expire; or do not declare the object, and give it up with `nhictl ledger forget`.",
    ),
    Word(
        "kept", "what a manifest keeps is not there",
        "`spec.keep` names a field that stays as it is live. Where no object has it, nothing is kept; where nothing is "
        "live, nhictl cannot make up what it holds.",
        "Correct the field in `keep`; or say the field in the manifest, so that the object can be made.",
    ),
    Word(
        "last-admin", "nobody managed would keep full administration",
        "The plan takes full administration from the last NHI of a target that has it: nobody could repair a mistake.",
        "Grant it to another NHI first.",
    ),
    Word(
        "orphan", "an object carries our mark, and the ledger does not know it",
        "An apply was cut off and its record was lost, or somebody copied the mark. It is shown and left alone.",
        "Declare it and run `nhictl adopt REF`, or remove the mark.",
    ),
    Word(
        "own-principal", "the object is the principal nhictl runs as",
        "A run that changes its own access can lock itself out half way.",
        "Apply this change as another principal.",
    ),
    Word(
        "protected", "the object is protected against removal",
        "Its manifest says `protect: true`: it is not deleted, replaced, disabled or given up, not even by a limit "
        "that is lifted.",
        "Restore its manifest, or first apply it with `protect: false` and no other change.",
    ),
    Word(
        "revoke-limit", "the plan takes access from more NHIs than the target's limit",
        "More NHIs than revokePercent and revokeMax allow would lose access in one apply.",
        "Check who loses what. If it is meant: apply in parts, raise the limits in nhictl.yaml, or use "
        "--override-safety with the plan's digest.",
    ),
    Word(
        "shared", "somebody else holds the object that changes",
        "A policy or role is also attached to identities that nhictl does not manage: their access changes with it.",
        "Look at what the others need first, or give them an object of their own.",
    ),
    Word(
        "unmarked", "our mark is gone from a managed object",
        "Somebody took the mark off, perhaps to keep the object: what does not say that it is ours is not removed.",
        "Declare it again and run `nhictl adopt REF`, or give it up with `nhictl ledger forget`.",
    ),
    Word(
        "waiting", "a removal is due later",
        "The object is disabled and its grace period (deleteAfter) is not over, or something still uses it.",
        "Nothing is to be done: a later apply removes it. Restore its manifest to keep it.",
    ),
    Word(
        "wipe", "nothing of the target is declared any more",
        "Every managed object of a target would go: most often a wrong directory, branch or environment.",
        "Check that you are in the right directory and on the right branch.",
    ),
)  # fmt: skip

WORDS: Mapping[str, Word] = MappingProxyType({row.word: row for row in _ROWS})
