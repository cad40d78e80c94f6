"""Who can do what, and through what: effective access as chains, over all targets of an environment. Pure.

Rules enforced here:
- what an identity may do is what its provider says of the resources, less denies and boundaries;
- whoever can become an identity has its access, too, through however many steps up to `DEPTH`; circles end;
- what nobody knows is told as such: an opaque policy makes a holder that might, never one that cannot.
"""

from nhictl.chains.asking import DEPTH, Access, Answer, Given, Holder, Link, Reached, access, steps, who_can
from nhictl.chains.becoming import Step
from nhictl.chains.verdict import Held, Question, Verdict
from nhictl.chains.world import At, Party, World

__all__ = [
    "DEPTH", "Access", "Answer", "At", "Given", "Held", "Holder", "Link", "Party", "Question", "Reached", "Step",
    "Verdict", "World", "access", "steps", "who_can",
]  # fmt: skip
